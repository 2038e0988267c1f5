"""The Merkle tree of RFC 6962, as C2SP tlog-tiles lays it out."""
from objects import WIDTH
from signed import Wrong, sha256


def leaf_of(entry):
    return sha256(b"\0", entry)


def node(left, right):
    return sha256(b"\1", left, right)


class Tree:
    """The Merkle tree over the events as it grows; gives the tiles and bundles that are complete."""

    def __init__(self):
        self.size, self.levels, self.bundle = 0, [], b""

    def push(self, entry, leaf):
        self.size, self.bundle = self.size + 1, self.bundle + len(entry).to_bytes(2, "big") + entry
        level, at = 0, leaf
        while True:
            if level == len(self.levels):
                self.levels.append([])
            self.levels[level].append(at)
            if len(self.levels[level]) < WIDTH:
                return
            index = (self.size >> 8 * (level + 1)) - 1
            yield (level, index, WIDTH), b"".join(self.levels[level])
            if level == 0:
                yield ("entries", index, WIDTH), self.bundle
                self.bundle = b""
            at, self.levels[level] = root_of(self.levels[level]), []
            level += 1

    def partial(self):
        for level, hashes in enumerate(self.levels):
            index = (self.size >> 8 * level) // WIDTH
            if hashes:
                yield (level, index, len(hashes)), b"".join(hashes)
            if hashes and level == 0:
                yield ("entries", index, len(hashes)), self.bundle

    def root(self):
        rest = []
        for hashes in self.levels:
            rest = [root_of(hashes + rest)] if hashes or rest else []
        return root_of(rest)


def root_of(hashes):
    """RFC 6962, section 2.1; the last hash may stand for a smaller tree than the others."""
    if not hashes:
        return sha256()
    while len(hashes) > 1:
        whole = len(hashes) // 2 * 2
        hashes = [node(*hashes[at:at + 2]) for at in range(0, whole, 2)] + hashes[whole:]
    return hashes[0]


def inclusion_path(leaves, index):
    """RFC 6962, section 2.1.1: the hashes from the leaf's sibling up."""
    if len(leaves) < 2:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return inclusion_path(leaves[:split], index) + [root_of(leaves[split:])]
    return inclusion_path(leaves[split:], index - split) + [root_of(leaves[:split])]


def root_by_path(leaf, index, size, path):
    """RFC 9162, section 2.1.3.2: the root that an inclusion proof leads to."""
    at, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            raise Wrong("the proof has too many hashes")
        if index & 1 or index == last:
            at = node(sibling, at)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            at = node(at, sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise Wrong("the proof has too few hashes")
    return at
