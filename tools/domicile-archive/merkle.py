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


def split(size):
    """Where a tree splits: the largest power of two below its size."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_path(leaves, index):
    """RFC 6962, section 2.1.1: the hashes from the leaf's sibling up."""
    if len(leaves) < 2:
        return []
    at = split(len(leaves))
    if index < at:
        return inclusion_path(leaves[:at], index) + [root_of(leaves[at:])]
    return inclusion_path(leaves[at:], index - at) + [root_of(leaves[:at])]


def consistency_path(leaves, old, is_known=True):
    """RFC 6962, section 2.1.2: the hashes that show that the first `old` leaves are the beginning; a part of them alone is not known
    to whoever checks."""
    if old in (0, len(leaves)):
        return [] if is_known else [root_of(leaves)]
    at = split(len(leaves))
    if old <= at:
        return consistency_path(leaves[:at], old, is_known) + [root_of(leaves[at:])]
    return consistency_path(leaves[at:], old - at, False) + [root_of(leaves[:at])]


def climb(start, index, last, path):
    """RFC 9162, sections 2.1.3.2 and 2.1.4.2: where the hashes of a proof lead: those to the left alone, and all of them."""
    left = whole = start
    for sibling in path:
        if last == 0:
            raise Wrong("the proof has too many hashes")
        if index & 1 or index == last:
            left, whole = node(sibling, left), node(sibling, whole)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            whole = node(whole, sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise Wrong("the proof has too few hashes")
    return left, whole


def root_by_path(leaf, index, size, path):
    """The root that an inclusion proof leads to."""
    return climb(leaf, index, size - 1, path)[1]


def is_beginning(old, new, path):
    """Whether a consistency proof shows that the tree `old`, a size and a root, is the beginning of `new`."""
    if old[0] in (0, new[0]) or old[0] > new[0]:
        return not path and old in (new, (0, root_of([])))
    index, last = old[0] - 1, new[0] - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    try:
        # Where the old tree is a whole subtree of the new one the proof begins above it, otherwise with its last part.
        start, path = (old[1], path) if split(old[0] + 1) == old[0] else (path[0], path[1:])
        return climb(start, index, last, path) == (old[1], new[1])
    except (Wrong, IndexError):
        return False
