"""Objects of S3's list answers are parsed as botocore's own parser would."""

import pytest
from botocore.parsers import create_parser
from botocore.session import get_session

from fruits_pipeline.storage.s3_pages import moment, parse_objects

SPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
OBJECT = (
    "<Contents><Key>a/%C3%A9 &amp; b.jpg</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified>"
    "<ETag>&quot;0&quot;</ETag><Size>5000</Size><Owner><ID>1</ID></Owner></Contents>"
)
ZERO = "<Contents><Key>z</Key><Size>0</Size><LastModified>2026-01-02T03:04:05+00:00</LastModified></Contents>"
HEAD = "<Name>bucket</Name><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
TAIL = "<NextContinuationToken>a&lt;b</NextContinuationToken><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>"


def page(inside, space=SPACE):
    return f"<ListBucketResult{space}>{inside}</ListBucketResult>".encode()


def parsed(body, *, by_us):
    shape = get_session().get_service_model("s3").operation_model("ListObjectsV2").output_shape
    parser = create_parser("rest-xml")
    parser._timestamp_parser = moment
    answer, ours = {"status_code": 200, "headers": {}, "body": body}, {}
    if by_us:
        parse_objects(answer, ours)
    found = parser.parse(answer, shape) | ours
    names = ("Key", "Size", "LastModified")
    return found | {"Contents": [{name: item.get(name) for name in names} for item in found.get("Contents", ())]}, ours


@pytest.mark.parametrize(
    "body",
    [
        page(HEAD + OBJECT + ZERO + TAIL),
        page(HEAD + TAIL + OBJECT),
        page(OBJECT + ZERO, ""),
        page(HEAD),
        page("<Contents><Key>no size</Key></Contents>" + OBJECT),
    ],
    ids=["page", "objects last", "no namespace", "none", "odd"],
)
def test_a_page_is_parsed_as_botocore_does(body):
    expected, _ = parsed(body, by_us=False)
    assert parsed(body, by_us=True)[0] == expected


def test_objects_are_taken_from_botocore():
    _, ours = parsed(page(HEAD + OBJECT), by_us=True)
    assert [item["Key"] for item in ours["Contents"]] == ["a/%C3%A9 & b.jpg"]


@pytest.mark.parametrize("body", [b"", b"<ListBucketResult", b"<Error><Code>x</Code></Error>", page("<Contents/>")])
def test_what_is_no_page_of_objects_is_left_to_botocore(body):
    answer, ours = {"body": body}, {}
    parse_objects(answer, ours)
    assert (answer["body"], ours) == (body, {})


def test_a_listing_and_a_look_at_one_object_tell_the_same_time():
    assert moment("2026-01-02T03:04:05.678Z") == moment("Fri, 02 Jan 2026 03:04:05 GMT")
