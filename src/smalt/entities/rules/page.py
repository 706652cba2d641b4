"""The table in docs/bindings.md; `python -m smalt.entities.rules.page docs/bindings.md` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

from smalt.entities.rules.places import BLOCKS, PLACES, TextPlace, Use
from smalt.entities.syntax.expression import KINDS

MARK = "<!-- Below this line the page is made by: python -m smalt.entities.rules.page docs/bindings.md -->\n"
_BLOCK = "$[[…]]"
_SIGNS = {
    Use.TEXT: ("text", "becomes its text or path; other text may stand around it"),
    Use.LITERAL: ("literal", "the same, of text, numbers and booleans alone; data is refused"),
    Use.VALUE: ("value", "a literal, with or without text around it; or data, with none"),
    Use.WHOLE: ("alone", "stands alone; text around it is refused"),
}


def render_table() -> str:
    """Return the generated half of the page."""
    lines = [f"- **{sign}**: {words}." for sign, words in _SIGNS.values()]
    lines += [
        "- **kept**: text like any other; nothing is looked at or replaced.",
        "- **–**: refused, at its line.",
        "",
    ]
    lines += [f"| in | {' | '.join(f'`{_format_kind(form)}`' for form in (*KINDS.values(), _BLOCK))} |"]
    lines += [f"|---|{'---|' * (len(KINDS) + 1)}"]
    lines += [f"| {place.words} | {' | '.join(_list_cells(place))} |" for place in PLACES]
    lines += ["", "| place | keys |", "|---|---|", *(f"| {place.words} | {place.fields} |" for place in PLACES), ""]
    return "\n".join(lines)


def _format_kind(form: str) -> str:
    return form.removeprefix("${{").removesuffix("}}")


def _list_cells(place: TextPlace) -> list[str]:
    if place.is_free:
        return ["kept"] * (len(KINDS) + 1)
    uses = [place.uses.get(kind) for kind in KINDS]
    return [*("–" if use is None else _SIGNS[use][0] for use in uses), "text" if place in BLOCKS else "kept"]


def write_page(page: Path) -> None:
    """Replace everything below the mark of the page."""
    head = page.read_text().partition(MARK)[0]
    page.write_text(f"{head}{MARK}\n{render_table()}")


if __name__ == "__main__":
    write_page(Path(sys.argv[1]))
