"""The closing message of ``make demo KEEP=1``: commands to explore the running nations, and to stop them."""

from rich import box
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.nations import NATIONS
from kakehashi.local_nations import LocalNations


def how_to_look_around(nations: LocalNations) -> RenderableType:
    """Commands to copy, and the addresses of the metrics."""
    home, partner = NATIONS
    commands = [
        (f"export KAKEHASHI_HOME={nations.home}", "first: the commands below use this home"),
        ("kakehashi status", "the two clusters"),
        (f"kakehashi tail --nation {partner} --partner {home}", f"indicators that {partner} has received from {home}"),
        (f"kakehashi tail --nation {home}", f"{home}'s own indicators"),
        (f"kakehashi explain --nation {home} VALUE", "why an indicator is released, held or withheld"),
        (f"kakehashi quarantine list --nation {home}", "refused input, with reasons"),
        (f"kakehashi produce --nation {home} --sensor mine --tlp TLP:GREEN FILE", "a feed of your own"),
    ]
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True)
    rows.add_column(style="dim")
    for command, what in commands:
        rows.add_row(Text(command, "cyan"), what)
    rows.add_row("", "")
    for role in nations.roles.values():
        rows.add_row(f"http://127.0.0.1:{role.port}/metrics", role.name)
    rows.add_row("", "")
    rows.add_row(Text("kakehashi down --wipe", "bold cyan"), "stop everything and delete the data")
    return Panel(
        rows,
        title=Text("Both nations keep running", "bold"),
        title_align="left",
        border_style="cyan",
        box=box.ROUNDED,
        padding=(0, 1),
    )
