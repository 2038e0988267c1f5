"""Objects of an archive: their names, and the records in them."""
import bisect
import itertools
import os
import re

try:
    import zstandard
except ImportError:  # said by __main__
    pass

from signed import Usage, parse_json, sha256

WIDTH = 256
DECOMPRESSED_MAX = 64 << 20


class Folder:
    """A copy of everything below `tenants/<tenant id>/`. Only regular files in real folders are objects."""

    def __init__(self, path):
        if not os.path.isdir(path):
            raise Usage(f"{path} is no folder")
        self.path, self.objects, self.bytes = path, 0, 0
        self.keys = sorted(self._list(path, ""))

    def _list(self, path, prefix):
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                yield from self._list(entry.path, f"{prefix}{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                yield prefix + entry.name

    def get(self, key):
        # A key can come from the archive itself: only what was listed is opened.
        at = bisect.bisect_left(self.keys, key)
        if self.keys[at:at + 1] != [key]:
            return None
        with open(os.path.join(self.path, key), "rb") as file:
            data = file.read()
        self.objects, self.bytes = self.objects + 1, self.bytes + len(data)
        return data


def segment_key(first, last):
    return f"events/{first:012}-{last:012}.seg.zst"


def tile_key(level, index, width):
    path = f"{index % 1000:03}"
    while index >= 1000:
        index //= 1000
        path = f"x{index % 1000:03}/{path}"
    return f"log/tile/{level}/{path}" + (f".p/{width}" if width < WIDTH else "")


def parse_tile(key):
    """Level (or `entries`), index and width of a tile or bundle; only the one right spelling."""
    match = re.fullmatch(r"log/tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?", key)
    if not match:
        return None
    level = match.group(1) if match.group(1) == "entries" else int(match.group(1))
    tile = level, int(match.group(2).replace("x", "").replace("/", "")), int(match.group(3) or WIDTH)
    is_tile = (level == "entries" or level < 64) and 1 <= tile[2] <= WIDTH and tile[1] < 1 << 64
    return tile if is_tile and tile_key(*tile) == key else None


def pieces_of(body, at, width):
    """What lies after lengths of so many bytes, until the bytes no longer make sense: then `None`."""
    while at < len(body):
        start = at + width
        at = start + int.from_bytes(body[at:start], "big")
        yield body[start:at] if at <= len(body) else None


def records_of(body, at):
    """Envelopes and payloads of a segment after its header; `None` at the end where they are cut off."""
    pieces = pieces_of(body, at, 4)
    for envelope in pieces:
        payload = next(pieces, None)
        yield None if payload is None else (envelope, payload)


def entries_of(bundle):
    return itertools.takewhile(lambda entry: entry is not None, pieces_of(bundle, 0, 2))


def entry_of(envelope, payload):
    """The entry of the Merkle log for an event."""
    return envelope[:-1] + b',"payload_sha256":"' + sha256(payload).hex().encode() + b'"}'


def facts_of(envelope):
    """An envelope's fields; nothing if it is not one."""
    try:
        facts = parse_json(envelope)
        names = ("tenant_id", "stream", "event_id", "event_type", "recorded_at", "actor", "command_id", "key_id")
        texts = [facts[name] for name in names]
        blob = facts.get("blob")
        is_one = all(type(text) is str for text in texts) and type(facts["version"]) is int
        return facts if is_one and (blob is None or re.fullmatch("[0-9a-f]{64}", blob)) else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def decompress(data):
    """As much as can be decompressed, and whether that is all."""
    # A broken frame takes along what is asked for together with its broken part: so little is asked for the second time.
    for length in (1 << 16, 64):
        body = bytearray()
        try:
            whole = zstandard.frame_content_size(data)
            with zstandard.ZstdDecompressor().stream_reader(data) as reader:
                while len(body) < DECOMPRESSED_MAX and (part := reader.read(length)):
                    body += part
            return bytes(body), len(body) == whole
        except zstandard.ZstdError:
            pass
    return bytes(body), False
