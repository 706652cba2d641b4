"""`mldesigner execute --source FILE --name COMPONENT --inputs k=v … --outputs k=path …`, of the standard library."""

from __future__ import annotations

from _smalt_designer.commands import main  # type: ignore[import-not-found]

if __name__ == "__main__":
    main()
