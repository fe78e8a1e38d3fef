"""Tables of an evaluation on the terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jen1cli.evaluation.report import Report


def show_report(findings: "Report") -> None:
    """Print every table to stderr; stdout is for paths."""
    from rich.console import Console
    from rich.table import Table

    from jen1cli.evaluation.report import shown

    console = Console(stderr=True, highlight=False)
    for table in findings.tables:
        grid = Table(title=table.title, caption=table.note or None, title_justify="left",
                     caption_justify="left", box=None, pad_edge=False)  # fmt: skip
        for number, name in enumerate(table.columns):
            grid.add_column(name, justify="left" if number == 0 else "right", no_wrap=number == 0)
        for row in table.rows:
            grid.add_row(*(shown(cell, table.unit) for cell in row))
        console.print(grid)
        console.print()
