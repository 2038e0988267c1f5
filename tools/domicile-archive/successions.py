"""The keys of a region, one after the other: docs/archive-format.md, "Successions"."""
import re

from manifest import TIME
from signed import Verifier, Wrong, text_and_lines

NAME = re.compile(r"successions/([0-9]{8}|[1-9][0-9]{8,17})")


class Chain:
    """Public keys, oldest first. Each but the first follows the one before by a succession."""

    def __init__(self, name, public_keys):
        self.verifiers = [Verifier(name, key) for key in public_keys]

    def open(self, read):
        """What `read(verifier)` gives for the key that has signed, newest first, and that key's number."""
        for number in reversed(range(len(self.verifiers))):
            try:
                return read(self.verifiers[number]), number
            except Wrong as wrong:
                if "no signature of" not in str(wrong) or number == 0:
                    raise


def statement(raw, region_name, number):
    """Old and new key of a succession that both have signed, in its one spelling."""
    try:
        note = raw.decode()
    except UnicodeDecodeError:
        raise Wrong("not the shape of a succession") from None
    text, lines = text_and_lines(note)
    match = re.fullmatch(r"(\S+) key succession\n(0|[1-9][0-9]{0,17})\n(\S+)\n(\S+)\n" + TIME + r"\n", text)
    if not match or len(lines) != 2:
        raise Wrong("not the shape of a succession")
    old, new = Verifier.parse(match.group(3)), Verifier.parse(match.group(4))
    if (str(old), str(new)) != match.groups()[2:] or not old.name == new.name == match.group(1):
        raise Wrong("not the shape of a succession")
    old.check(text, lines[:1])
    new.check(text, lines[1:])
    if (match.group(1), int(match.group(2))) != (region_name, number):
        raise Wrong("it is of another region or number")
    return old.public_key, new.public_key


def chain_of(folder, name, public_key):
    """The chain that a key belongs to in an archive of the log `name`, and what is wrong with its successions."""
    region_name, chains, wrongs, expected = "/".join(name.split("/")[:2]), [[]], [], 1
    for number in sorted(int(match.group(1)) for match in map(NAME.fullmatch, folder.keys) if match):
        if number != expected:
            wrongs.append((expected, "missing"))
            chains.append([])
        expected = number + 1
        try:
            old, new = statement(folder.get(f"successions/{number:08}"), region_name, number)
            chains[-1] = chains[-1] or [old]
            if chains[-1][-1] != old or new in chains[-1]:
                raise Wrong("it does not follow the succession before it")
            chains[-1].append(new)
        except Wrong as wrong:
            wrongs.append((number, str(wrong)))
            chains.append([])
    return Chain(name, next((keys for keys in chains if public_key in keys), [public_key])), wrongs
