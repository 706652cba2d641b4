"""The XML of the blob storage protocol."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.utils import formatdate
from xml.sax.saxutils import escape, quoteattr

from smalt.exceptions import ValidationException
from smalt.service.data.uploads.blobs import Blob

_HEAD = '<?xml version="1.0" encoding="utf-8"?>'
_LIST = re.compile(r"\s*(?:<\?xml[^>]*\?>)?\s*<BlockList\s*/?>(.*?)(?:</BlockList>)?\s*", re.DOTALL)
_BLOCK = re.compile(r"\s*<(Latest|Uncommitted)>([A-Za-z0-9+/=_-]{1,200})</\1>\s*")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_listing(
    container: str,
    items: Sequence[Blob | str],
    *,
    prefix: str,
    delimiter: str,
    most: int,
    marker: str,
    with_metadata: bool,
) -> str:
    """Render a page of a container; plain texts are the prefixes that the delimiter makes."""
    body = "".join(_render_item(item, with_metadata) for item in items)
    given = f"<Prefix>{_escape_text(prefix)}</Prefix><MaxResults>{most}</MaxResults>"
    if delimiter:
        given += f"<Delimiter>{_escape_text(delimiter)}</Delimiter>"
    after = f"<NextMarker>{_escape_text(marker)}</NextMarker>" if marker else "<NextMarker />"
    name = quoteattr(container)
    results = f'<EnumerationResults ServiceEndpoint="" ContainerName={name}>{given}<Blobs>{body}</Blobs>{after}'
    return f"{_HEAD}{results}</EnumerationResults>"


def render_containers(names: Sequence[str]) -> str:
    """Render the containers of an account."""
    facts = '<Last-Modified>Thu, 01 Jan 1970 00:00:00 GMT</Last-Modified><Etag>"0x1"</Etag>'
    found = "".join(
        f"<Container><Name>{_escape_text(name)}</Name><Properties>{facts}</Properties></Container>" for name in names
    )
    listed = f"<Containers>{found}</Containers><NextMarker />"
    return f'{_HEAD}<EnumerationResults ServiceEndpoint="">{listed}</EnumerationResults>'


def render_error(code: str, message: str) -> str:
    return f"{_HEAD}<Error><Code>{_escape_text(code)}</Code><Message>{_escape_text(message)}</Message></Error>"


def render_blocks(sizes: dict[str, int]) -> str:
    """Render the uncommitted blocks, by id."""
    found = "".join(f"<Block><Name>{_escape_text(id)}</Name><Size>{size}</Size></Block>" for id, size in sizes.items())
    waiting = f"<UncommittedBlocks>{found}</UncommittedBlocks>"
    return f"{_HEAD}<BlockList><CommittedBlocks></CommittedBlocks>{waiting}</BlockList>"


def parse_block_ids(body: bytes) -> list[str]:
    """Return the ids of a block list, in order. A list has one form, so no general XML parser is needed."""
    try:
        found = _LIST.fullmatch(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        found = None
    inner, position, ids = (found[1] if found else "?"), 0, []
    while position < len(inner):
        block = _BLOCK.match(inner, position)
        if block is None:
            if inner[position:].strip():
                raise ValidationException("the body is not a block list: <BlockList><Latest>id</Latest>…</BlockList>")
            break
        ids.append(block[2])
        position = block.end()
    return ids


def _render_item(item: Blob | str, with_metadata: bool) -> str:
    if isinstance(item, str):
        return f"<BlobPrefix><Name>{_escape_text(item)}</Name></BlobPrefix>"
    when = formatdate(item.modified, usegmt=True)
    md5 = f"<Content-MD5>{_escape_text(item.md5)}</Content-MD5>" if item.md5 else "<Content-MD5 />"
    facts = (
        f"<Creation-Time>{when}</Creation-Time><Last-Modified>{when}</Last-Modified><Etag>{item.etag}</Etag>"
        f"<Content-Length>{item.size}</Content-Length><Content-Type>application/octet-stream</Content-Type>{md5}"
        "<BlobType>BlockBlob</BlobType><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>"
    )
    metadata = ""
    if with_metadata:
        pairs = (
            f"<{name}>{_escape_text(value)}</{name}>" for name, value in item.metadata.items() if _is_xml_name(name)
        )
        metadata = f"<Metadata>{''.join(pairs)}</Metadata>"
    return f"<Blob><Name>{_escape_text(item.name)}</Name><Properties>{facts}</Properties>{metadata}</Blob>"


def _is_xml_name(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) is not None


def _escape_text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))
