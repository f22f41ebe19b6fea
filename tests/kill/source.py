"""The source of the scenarios: a table of tiny images, before and after it has changed in every way."""

import os
from pathlib import Path

from feature_jobs import picture
from in_process import table_of

WAVE_IMAGES = 15
_COLOURS = {"Apple": (200, 20, 20), "Kiwi": (20, 200, 20), "Plum": (20, 20, 200)}
_COUNTS = {"Test": 6, "Training": 14}
_GROWN = 4
_GONE = ("Training/Kiwi/2.png", "Training/Kiwi/3.png", "Training/Plum/1.png", "Training/Plum/5.png", "Test/Apple/1.png")
_REPLACED, _RELABELLED = "Training/Kiwi/7.png", "Test/Kiwi/0.png"
_TIME_S = 1_700_000_000


class Source:
    """The folder of the images, and the table that lists them."""

    def __init__(self, folder: Path) -> None:
        self.images, self.table = folder / "images", folder / "photos.csv"
        self.before()

    def before(self) -> int:
        """Lists the source as it was at first; gives the number of its images."""
        return self._list(0, changed=False)

    def after(self) -> int:
        """Lists it grown, with images gone, one replaced and one label corrected."""
        return self._list(_GROWN, changed=True)

    @property
    def new(self) -> set[str]:
        """Paths of the images that only the changed source has in this form."""
        added = {name for name, number in self._names(_GROWN) if number >= _COUNTS[name.split("/")[0]]}
        return {f"file://{self.images}/{name}" for name in added | {_REPLACED}}

    def _list(self, more: int, *, changed: bool) -> int:
        rows = {}
        for name, number in self._names(more):
            split, label, _ = name.split("/")
            if changed and name in _GONE:
                continue
            red, green, blue = _COLOURS[label]
            colour = ((red + number) % 256, (green + 2 * number) % 256, (blue + 3 * number) % 256)
            self._write(name, picture((1, 2, 3), size=(20, 20)) if changed and name == _REPLACED else picture(colour))
            told = "Plum" if changed and name == _RELABELLED else label
            rows[f"images/{name}"] = (told, "test" if split == "Test" else "train")
        table_of(self.table, rows)
        return len(rows)

    def _names(self, more: int) -> list[tuple[str, int]]:
        return [
            (f"{split}/{label}/{number}.png", number)
            for split, count in _COUNTS.items()
            for label in _COLOURS
            for number in range(count + more)
        ]

    def _write(self, name: str, content: bytes) -> None:
        """With one time for all, so that the source before is the same each time."""
        file = self.images / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (_TIME_S, _TIME_S))
