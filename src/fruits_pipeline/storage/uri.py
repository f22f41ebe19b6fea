"""Addresses as the contract spells them: decoded, full URIs without a slash at the end.

Local files are ``file:///...``; ``s3a`` and ``s3n`` are spelled ``s3``.
"""

import os
import re

from fruits_pipeline.errors import SettingsError

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):(?=/)")
_ARN = re.compile(r"^(s3[an]?://)?arn:", re.IGNORECASE)
_SAME = {"s3a": "s3", "s3n": "s3"}


def normalise(address: str) -> str:
    """The full URI of a plain path, a ``file:`` address or a bucket address.

    Raises:
        SettingsError: When credentials stand in the address, or it is an ARN.

    >>> normalise("s3a://bucket/Apple Red 1/")
    's3://bucket/Apple Red 1'
    >>> normalise("file:/data//fruits/../x")
    'file:///data/x'
    """
    if _ARN.match(address):
        raise SettingsError(
            f"expected s3://BUCKET/FOLDER, found the ARN {address!r}; give the bucket's name, or an access point's "
            "alias, which 'aws s3control get-access-point' tells: s3://ALIAS-s3alias/FOLDER"
        )
    found = _SCHEME.match(address)
    if found is None:
        return _of_path(os.path.expanduser(address))  # noqa: PTH111 because Path's raises where there is no such user
    scheme = found[1].lower()
    scheme = _SAME.get(scheme, scheme)
    rest = address[found.end() :]
    if scheme == "file":
        return _of_path(rest)
    rest = rest.strip("/")
    if "@" in rest.partition("/")[0] and scheme in {"s3", "gs"}:
        raise SettingsError(
            f"expected {scheme}://bucket/folder, found something before an @ in place of the bucket; "
            "leave credentials to the environment, where aws and gcloud find them"
        )
    return f"{scheme}://{rest}"


def _of_path(path: str) -> str:
    return "file:///" + os.path.abspath(path).lstrip("/")  # noqa: PTH100 because Path.resolve would follow links


def scheme(uri: str) -> str:
    """The scheme of a normalised URI, such as ``file``."""
    return uri.partition("://")[0]


def bucket(uri: str) -> str:
    """The bucket of a normalised URI, as a URI.

    >>> bucket("s3://data/results/fruits")
    's3://data'
    """
    return "/".join(uri.split("/")[:3])


def local_path(uri: str) -> str:
    """The path of a ``file:///`` URI.

    Raises:
        SettingsError: When the address is not local.
    """
    if scheme(uri) != "file":
        raise SettingsError(
            f"expected a local folder or a file: address, found {uri!r}; copy the data to this machine first"
        )
    return uri[len("file://") :]


def as_spelled(uri: str) -> str:
    """A normalised URI as people and other tools spell it: a plain path where it is local, else the URI.

    >>> as_spelled("file:///data/a b.jpg"), as_spelled("s3://bucket/a b.jpg")
    ('/data/a b.jpg', 's3://bucket/a b.jpg')
    """
    return local_path(uri) if scheme(uri) == "file" else uri


def join(uri: str, *parts: str) -> str:
    """``uri`` with ``parts`` below it.

    >>> join("file:///", "a")
    'file:///a'
    """
    return "/".join([uri.removesuffix("/"), *parts])


def below(uri: str, root: str) -> str | None:
    """What stands below ``root`` in ``uri``: "" for the root itself, None when it is outside.

    >>> below("file:///a/b/c", "file:///a")
    'b/c'
    >>> below("file:///ab", "file:///a") is None
    True
    """
    if uri == root:
        return ""
    base = root.removesuffix("/") + "/"
    return uri[len(base) :] if uri.startswith(base) else None
