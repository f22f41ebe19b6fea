"""A source of 48 small pictures on two sides, and whole commands on it."""

from feature_jobs import picture

from outputs import contents

LABELS = {"Apple": (200, 20, 20), "Kiwi": (20, 200, 20), "Plum": (20, 20, 200)}
SMALL_WAVES = ("--wave-images", "30")


def add_images(folder, number, first=0, splits=("Training", "Test")):
    for split in splits:
        for label, (red, green, blue) in LABELS.items():
            for n in range(first, first + number):
                file = folder / split / label / f"{n}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(picture(((red + n) % 256, (green + 2 * n) % 256, (blue + 3 * n) % 256)))
    return folder


def run(command, source, output, *more):
    return _done(command, "run", source, output, *more)


def extract(command, source, output, *more):
    """Features alone, where a test has no use for more: a whole run takes ten times as long."""
    return _done(command, "extract", source, output, *more)


def _done(command, name, source, output, *more):
    ended = command(name, *SMALL_WAVES, "--data-source", source, "--output-uri", output, *more)
    assert ended.code == 0, ended.err
    return ended


def feature_files(output):
    return {name: time for name, time in contents(output).items() if name.startswith("features/")}


def rows_of(images):
    paths = sorted(images.rglob("*.png"))
    return {
        str(path.relative_to(images.parent)): (path.parent.name, "test" if path.parts[-3] == "Test" else "train")
        for path in paths
    }
