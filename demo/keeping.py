"""The closing message of ``make demo KEEP=1``: commands to explore the running nations, and to stop them."""

from rich.text import Text

from demo.nations import NATIONS
from kakehashi.local_nations import LocalNations
from kakehashi.pasted import first_line


def how_to_look_around(nations: LocalNations) -> Text:
    """Commands to paste, and the addresses of the metrics. To be printed with ``soft_wrap``: a line is never cut."""
    home, partner = NATIONS
    commands = [
        (first_line(nations.home), "first: the commands below use this home"),
        ("kakehashi status", "the two clusters"),
        (f"kakehashi tail --nation {partner} --partner {home}", f"indicators that {partner} has received from {home}"),
        (f"kakehashi tail --nation {home}", f"{home}'s own indicators"),
        (f"kakehashi explain --nation {home} VALUE", "why an indicator is released, held or withheld"),
        (f"kakehashi quarantine list --nation {home}", "refused input, with reasons"),
        (f"kakehashi produce --nation {home} --sensor mine --tlp TLP:GREEN FILE", "a feed of your own"),
        *((f"curl -s http://127.0.0.1:{role.port}/metrics", role.name) for role in nations.roles.values()),
        ("kakehashi down --wipe", "stop everything and delete the data"),
    ]
    shown = Text("Both nations keep running. In another terminal:\n", "bold")
    for command, what in commands:
        shown.append(f"  # {what}\n", "dim").append(f"  {command}\n", "not bold cyan")
    return shown
