"""`jen1 doctor`: check of the installation, with a remedy for each fault."""

from dataclasses import asdict

import typer

from jen1cli.cli import options
from jen1cli.cli.sampling import check_device
from jen1cli.cli.terminal import echo, echo_json


def doctor(
    device: options.Device = "auto",
    as_json: options.Json = False,
) -> None:
    """Check the installation: packages, device, weights, SoundFont, disk and memory.

    Four seconds of music are made on the device and compared with what they should be. The exit
    code is 1 where something fails; a warning or a note leaves it 0.
    """
    from jen1cli.cli.installation.diagnosis import Check, checks

    check_device(device)
    found: list[Check] = []
    for check in checks(device):
        found.append(check)
        if not as_json:
            echo(f"{check.status:<5}{check.name:<23}{check.found}")
            if check.remedy:
                echo(f"{'':<28}-> {check.remedy}")
    has_passed = all(check.status != "fail" for check in found)
    if as_json:
        rows = [asdict(check) for check in found]
        echo_json({"ok": has_passed, "checks": rows})
    if not has_passed:
        raise typer.Exit(1)
