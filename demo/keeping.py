"""What ``make demo KEEP=1`` says at its end: how to look around in what runs on, and how to end it."""

from rich import box
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.nations import NATIONS, Nations


def how_to_look_around(nations: Nations) -> RenderableType:
    """Commands to copy, and where the metrics are."""
    home, partner = NATIONS
    commands = [
        (f"export KAKEHASHI_HOME={nations.home}", "first: every command below works on this home"),
        ("kakehashi status", "the two clusters"),
        (f"kakehashi tail --nation {partner} --partner {home}", f"what {partner} has from {home}"),
        (f"kakehashi tail --nation {home}", f"{home}'s own picture"),
        (f"kakehashi explain --nation {home} VALUE", "why something may leave, waits or stays"),
        (f"kakehashi quarantine list --nation {home}", "what was refused, and why"),
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
    rows.add_row(Text("kakehashi down --wipe", "bold cyan"), "stops all of it and forgets it")
    return Panel(
        rows,
        title=Text("Both nations run on", "bold"),
        title_align="left",
        border_style="cyan",
        box=box.ROUNDED,
        padding=(0, 1),
    )
