"""The walk over the events of an archive, with the tree they make, held against the tiles that lie beside them."""
import bisect
import itertools
import os
import re

from merkle import Tree, leaf_of
from objects import WIDTH, decompress, entries_of, entry_of, facts_of, parse_tile, records_of, segment_key, tile_key
from signed import sha256


class Walk:
    """Takes segments in order. `seen(position, envelope, payload)` is told of every event of a sound one."""

    def __init__(self, folder, seen=None):
        self.folder, self.seen, self.tenant_id = folder, seen, None
        self.findings, self.unnamed, self.widths = [], set(folder.keys), {}
        for level, index, width in filter(None, map(parse_tile, folder.keys)):
            self.widths.setdefault((level, index), []).append(width)
        self.size, self.tree, self.leaves, self.is_tree_known = 0, Tree(), [], True
        self.versions, self.are_versions_known = {}, True
        self.unknown_bundles, self.is_gap_explained = set(), False
        self.blobs, self.lines = [], []

    def add(self, position, key, what):
        self.findings.append({"position": position, "object": key, "what": str(what)})

    def segment(self, named):
        key, first, last = named["object"], named["first"], named["last"]
        self.unnamed.discard(key)
        if key != segment_key(first, last):
            self.add(first, key, "belongs to another range")
        events, wrong = self.decode(named)
        if first <= self.size:
            self.add(first, key, "a second segment holds the event")
            return wrong is None
        if first > self.size + 1:
            if not self.is_gap_explained:
                self.add(self.size + 1, key, "no segment holds the event")
            self.substitute(first - 1, [])
        self.is_gap_explained = False
        if wrong is not None:
            # The tree says where the segment begins to differ, and what belongs there.
            self.add(self.substitute(last, [entry_of(*event) for event in events]), key, wrong)
            return False
        for envelope, payload in events:
            entry, facts = entry_of(envelope, payload), facts_of(envelope)
            if facts is None:
                self.add(self.size + 1, key, "cannot be read: the envelope has not the shape of one")
            else:
                self.audit(facts)
            self.event(key, entry, leaf_of(entry), facts)
            if self.seen:
                self.seen(self.size, envelope, payload)
        return True

    def decode(self, named):
        """The events as far as they can be read, and what is wrong with the segment as a whole."""
        raw = self.folder.get(named["object"])
        if raw is None:
            return [], "missing"
        wrong = [] if sha256(raw).hex() == named["sha256"] else ["not the bytes that were signed"]
        body, is_complete = decompress(raw)
        if not is_complete:
            wrong.append("cannot be read: cannot be decompressed to its end")
        header = re.match(rb"domicile-segment/1 ([0-9a-f-]{36}) ([0-9]{1,18}) ([0-9]{1,18})\n", body)
        if not header:
            return [], (wrong + ["cannot be read: the first line is not that of a segment"])[0]
        if (int(header.group(2)), int(header.group(3))) != (named["first"], named["last"]):
            wrong.append("belongs to another range")
        if header.group(1).decode() != self.tenant_id:
            wrong.append("belongs to another tenant")
        events = list(records_of(body, header.end()))
        if None in events:
            wrong.append("cannot be read: ends within an event or before the last")
            events.pop()
        if any(not envelope.endswith(b"}") for envelope, _ in events):
            wrong.append("cannot be read: an envelope is no JSON object")
        if len(events) != named["count"]:
            wrong.append("cannot be read: holds another number of events than named")
        return events, wrong[0] if wrong else None

    def event(self, key, entry, leaf, facts):
        position = self.size + 1
        if entry is None or facts is None:
            self.are_versions_known = False
        else:
            if facts["tenant_id"] != self.tenant_id:
                self.add(position, key, "the event of another tenant")
            if facts.get("blob"):
                self.blobs.append((position, facts["blob"]))
            if facts["version"] != self.versions.get(facts["stream"], 0) + 1 and self.are_versions_known:
                self.add(position, key, "its stream's versions have a gap or a double here")
            self.versions[facts["stream"]] = facts["version"]
        if self.is_tree_known and entry is None:
            self.unknown_bundles.add(self.size // WIDTH)
        if self.is_tree_known and len(entry or b"") > 0xffff:
            self.add(position, key, "cannot be read: an entry takes at most 65535 bytes")
            self.is_tree_known = False
        if self.is_tree_known:
            for tile, data in self.tree.push(entry or b"", leaf):
                self.compare(tile, data)
        self.leaves.append(leaf)
        self.size += 1

    def substitute(self, last, held):
        """Takes positions from tiles and bundles, because no segment holds them as they were signed. Gives the first one at
        which `held`, the entries of a damaged segment, differs from the tree."""
        first, held, differs_at = self.size + 1, iter(held), None
        while self.size < last:
            index, offset = divmod(self.size, WIDTH)
            leaves, entries = self.stored(index) if self.is_tree_known else ([], [])
            if len(leaves) <= offset:
                unknown = self.size + 1
                self.size, self.is_tree_known, self.are_versions_known = last, False, False
                return differs_at or (unknown if next(held, None) is None else first)
            for at in range(offset, min(len(leaves), offset + last - self.size)):
                entry, leaf = next(held, None), leaves[at]
                if entry is None or leaf_of(entry) != leaf:
                    differs_at = differs_at or self.size + 1
                    entry = entries[at] if at < len(entries) else None
                    if entry is not None and leaf_of(entry) != leaf:
                        self.add(self.size + 1, tile_key("entries", index, WIDTH), "not the tree over the events")
                        entry = None
                facts = facts_of(entry) if entry is not None else None
                self.event("log/tile/", entry, leaf, facts)
        return differs_at

    def stored(self, index):
        """Leaves and entries as the widest tile and bundle of level 0 hold them."""
        def widest(level):
            widths = self.widths.get((level, index))
            return self.folder.get(tile_key(level, index, max(widths))) if widths else b""
        tile = widest(0)
        leaves = [tile[at:at + 32] for at in range(0, len(tile), 32)] if len(tile) % 32 == 0 else []
        return leaves, list(entries_of(widest("entries")))

    def compare(self, tile, data):
        """A tile or bundle as the events make it, with every object that holds it or a beginning of it."""
        level, index, width = tile
        widths = sorted(self.widths.get((level, index), []))
        span = WIDTH ** level if level != "entries" else 1
        first = index * WIDTH * span + 1
        sizes = (len(entry) + 2 for entry in entries_of(data)) if level == "entries" else itertools.repeat(32, width)
        ends = list(itertools.accumulate(sizes))
        if not widths or widths[-1] < width:
            self.add(first, tile_key(*tile), "missing")
        for stored_width in widths:
            key = tile_key(level, index, stored_width)
            self.unnamed.discard(key)
            if level == "entries" and index in self.unknown_bundles:
                continue
            stored, wanted = self.folder.get(key), data[:ends[stored_width - 1]] if stored_width < width else data
            if stored == wanted or (stored_width > width and stored.startswith(wanted)):
                continue
            at = bisect.bisect_right(ends, len(os.path.commonprefix([stored, wanted])))
            self.add(first + min(at, WIDTH - 1) * span, key, "not the tree over the events")

    def first_unlike_tiles(self, first):
        for index in range((first - 1) // WIDTH, self.size // WIDTH + 1):
            for at, leaf in enumerate(self.stored(index)[0], index * WIDTH):
                if first - 1 <= at < self.size and self.leaves[at] != leaf:
                    return at + 1
        return None

    def audit(self, facts):
        """Takes the event into the audit lines of its generation: one a command, one object a day."""
        if not self.lines or self.lines[-1]["command_id"] != facts["command_id"]:
            fields = ("recorded_at", "actor", "command_id")
            self.lines.append({"first": self.size + 1, "last": 0, **{name: facts[name] for name in fields}, "events": []})
        self.lines[-1]["last"] = self.size + 1
        self.lines[-1]["events"].append(facts["event_type"])

    def check_hash(self, position, key, wanted, size_bytes=None):
        """An object must be the bytes that were signed."""
        self.unnamed.discard(key)
        raw = self.folder.get(key)
        if raw is None:
            self.add(position, key, "missing")
        elif sha256(raw).hex() != wanted or size_bytes not in (None, len(raw)):
            self.add(position, key, "not the bytes that were signed")
        return raw
