"""Kinds of names that people's files have, and what becomes of each: one table for disks and buckets.

The outcome of a listing is ``image``, the reason why the object is skipped, or None where nothing is listed. What an
image that is listed comes to when it is read stands in ``read``: a reason of ``images.reason``, or "" where it is read.
"""

import os
from pathlib import Path
from typing import NamedTuple

IMAGE, HIDDEN, OTHER = "image", "hidden", "not_an_image_name"
NFC, NFD = "caf\u00e9", "cafe\u0301"
LONG = "x" * 251 + ".jpg"


class Name(NamedTuple):
    """One kind of name.

    Attributes:
        key: Below the source.
        listed: What the listing says of it.
        read: What the reading says of a picture of that name.
        label: Its label.
        on_disk: Whether a file system can hold it.
        in_bucket: Whether a key can be so.
    """

    key: str
    listed: str | None = IMAGE
    read: str = ""
    label: str | None = "A"
    on_disk: bool = True
    in_bucket: bool = True


NAMES = {
    "plain": Name("A/plain.jpg"),
    "capitals": Name("A/CAPITALS.JPG"),
    "spaces": Name("A/with  two spaces.jpg"),
    "leading space": Name("A/ leading.jpg"),
    "trailing space": Name("A/trailing.jpg "),
    "trailing dot": Name("A/dot.jpg."),
    "percent 20": Name("A/a%20b.jpg"),
    "percent": Name("A/100%.jpg"),
    "encoded slash": Name("A/a%2Fb.jpg"),
    "hash": Name("A/a#1.jpg"),
    "question mark": Name("A/what?.jpg"),
    "query": Name("A/x.jpg?itok=a.b&w=3"),
    "plus": Name("A/a+b.jpg"),
    "tilde": Name("A/~a.jpg"),
    "colon": Name("A/12:30:00.jpg"),
    "brackets": Name("A/[1] {2} (3).jpg"),
    "star": Name("A/st*r.jpg"),
    "backslash": Name("A/back\\slash.jpg"),
    "quotes": Name("A/'single' \"double\" `back`.jpg"),
    "comma and semicolon": Name("A/a,b;c.jpg"),
    "newline": Name("A/new\nline.jpg", in_bucket=False),
    "tabulator": Name("A/a\tb.jpg", in_bucket=False),
    "emoji": Name("A/🍎.jpg"),
    "composed accent": Name(f"A/{NFC}.jpg"),
    "decomposed accent": Name(f"A/{NFD}.jpg"),
    "Arabic": Name("A/تفاح.jpg"),
    "Chinese label": Name("苹果/1.jpg", label="苹果"),
    "255 bytes": Name(f"A/{LONG}"),
    "two cases, lower": Name("A/case.jpg"),
    "two cases, upper": Name("A/Case.jpg"),
    "folder named as an image": Name("folder.jpg/1.png", label="folder.jpg"),
    "no suffix": Name("A/IMG_0001"),
    "dots and no suffix": Name("A/2.5 kg"),
    "copy": Name("A/x.jpg (1)"),
    "size behind the suffix": Name("A/x.jpg_large"),
    "JFIF": Name("A/a.jfif"),
    "HEIC by name": Name("A/IMG_1.HEIC"),
    "underscore": Name("_Rotten/_1.jpg", label="_Rotten"),
    "two slashes": Name("A//double.jpg", on_disk=False),
    "backup": Name("A/a.jpg~", OTHER),
    "sidecar": Name("A/a.jpg.json", OTHER),
    "text": Name("A/notes.txt", OTHER),
    "readme": Name("A/README", OTHER),
    "dot": Name("A/.x.jpg", HIDDEN),
    "AppleDouble": Name("A/._x.jpg", HIDDEN),
    "folder of macOS": Name("__MACOSX/A/x.jpg", HIDDEN),
    "index of macOS": Name("A/.DS_Store", HIDDEN),
    "thumbnails of Windows": Name("A/Thumbs.db", HIDDEN),
    "settings of Windows": Name("A/desktop.ini", HIDDEN),
    "marker of Hadoop": Name("A/_SUCCESS", HIDDEN),
    "work of Hadoop": Name("A/_temporary/0/x.jpg", HIDDEN),
    "checkpoints of notebooks": Name("A/.ipynb_checkpoints/x.jpg", HIDDEN),
    "thumbnails of a NAS": Name("A/@eaDir/x.jpg/SYNOPHOTO_THUMB_M.jpg", HIDDEN),
    "link to nothing": Name("A/broken.jpg", read="missing", in_bucket=False),
    "link to itself": Name("A/self.jpg", read="missing", in_bucket=False),
    "link to a folder above": Name("loop", None, in_bucket=False),
    "no permission": Name("A/secret.jpg", read="forbidden", in_bucket=False),
    "no UTF-8": Name("A/caf\\xe9.jpg", in_bucket=False),
}


def write_names(folder: Path, content: bytes) -> None:
    """One file of each kind that a disk can hold."""
    made = {
        "link to nothing": lambda path: path.symlink_to("nowhere.jpg"),
        "link to itself": lambda path: path.symlink_to(path.name),
        "link to a folder above": lambda path: path.symlink_to(".."),
        "no UTF-8": lambda path: Path(os.fsdecode(os.fsencode(path.parent) + b"/caf\xe9.jpg")).write_bytes(content),
    }
    for kind, name in NAMES.items():
        if name.on_disk:
            path = folder / name.key
            path.parent.mkdir(parents=True, exist_ok=True)
            made.get(kind, lambda path: path.write_bytes(content))(path)
    (folder / NAMES["no permission"].key).chmod(0)
