"""Reads a tenant's archive without the program that wrote it.

    verify FOLDER --verifier KEY                  is it whole, and what its key signed?
    print FOLDER [--keys KEYS --region-key FILE]  its events; what they say, with the keys
    proof FOLDER --position N                     one event's proof, in a file that verifies offline
    check FILE --verifier KEY                     does such a proof hold?
    consistency FOLDER --old CHECKPOINT           is an older tree head the beginning of this history?

FOLDER is a copy of tenants/<tenant id>/ of a region's bucket, KEYS of keys/<tenant id>/ or all of keys/. KEY, which the region
publishes, comes from elsewhere than the bucket. A verb's --help tells the rest.

Does what docs/archive-format.md says. Exit codes: 0 fine, 1 something is wrong with what was read, 64 wrong use,
69 a package is missing (zstandard, cryptography).
"""
import argparse
import base64
import importlib.util
import json
import os
import re
import sys

sys.dont_write_bytecode = True  # the folder may be somebody else's

from keys import Keys, attachment_of
from merkle import consistency_path, inclusion_path, is_beginning, leaf_of, root_by_path, root_of
from objects import Folder, entry_of, facts_of
from signed import Cosigner, Usage, Verifier, Wrong, open_checkpoint, unbase64
from successions import Chain, chain_of
from verification import Verification

PROOF = "c2sp.org/tlog-proof@v1"
PROOF_FORM = re.compile(PROOF + r"\nextra (.*)\nindex (0|[1-9][0-9]{0,18})\n((?:[A-Za-z0-9+/]{43}=\n)*)\n((?s:.*))")
# More than any proof or tree head has.
TEXT_MAX = 1 << 20


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(64, f"{self.prog}: {message}\n")


def key_of(kind):
    def parse(text):
        try:
            return kind.parse(text)
        except Wrong as wrong:
            raise argparse.ArgumentTypeError(wrong) from None
    return parse


def parser():
    top = Parser(prog=f"python3 {sys.argv[0]}", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name, run, summary):
        one = verbs.add_parser(name, help=summary, description=summary)
        one.set_defaults(run=run)
        one.add_argument("--verifier", type=key_of(Verifier), metavar="KEY", help="the verifier key to trust, of the log or of its region; "
                         "without it, the one that the archive names, which shows only that one and the same key signed everything")
        return one

    def folder_verb(name, run, summary):
        one = verb(name, run, summary)
        one.add_argument("folder", metavar="FOLDER", help="a copy of tenants/<tenant id>/ in the region's bucket, with all below")
        one.add_argument("--witness", type=key_of(Cosigner), action="append", default=[], metavar="KEY", help="the verifier key of another "
                         "region, to check its cosignatures with; can be given again")
        one.add_argument("--at-least", type=int, default=0, metavar="N", help="a size the archive is known to have had")
        return one

    verify = folder_verb("verify", run_verify, "verify an archive: signatures, hashes, order, the Merkle tree")
    verify.add_argument("--format", choices=["text", "json"], default="text")
    printing = folder_verb("print", run_print, "print the events of an archive that verifies")
    printing.add_argument("--keys", metavar="FOLDER", help="the tenant's key exports, a copy of keys/<tenant id>/ or of keys/; without, "
                          "what events say stays sealed")
    printing.add_argument("--region-key", metavar="FILE", help="the region's key file, which no bucket holds")
    printing.add_argument("--files", metavar="FOLDER", help="write the opened files there, as attachment-<id>")
    printing.add_argument("--format", choices=["text", "json"], default="text", help="json: one object a line")
    proof = folder_verb("proof", run_proof, "print the proof that an event is in the log (c2sp.org/tlog-proof)")
    proof.add_argument("--position", type=int, required=True, metavar="N")
    consistency = folder_verb("consistency", run_consistency, "compare with an older tree head, and print the proof (RFC 6962, "
                              "section 2.1.2)")
    consistency.add_argument("--old", required=True, metavar="CHECKPOINT", help="a log/checkpoint that somebody kept; - for standard input")
    consistency.add_argument("--format", choices=["text", "json"], default="text")
    check = verb("check", run_check, "check such a proof, and print the entry that it proves")
    check.add_argument("file", metavar="FILE", help="the proof; - for standard input")
    check.add_argument("--from", dest="folder", metavar="FOLDER", help="a copy of the log's archive: its successions say which keys "
                       "came before and after the given one")
    return top


def verified(options, seen=None):
    return Verification(Folder(options.folder), options.verifier, options.at_least, seen, options.witness).run()


def sound(options, seen=None):
    """Verified, and nothing wrong: what was changed is not shown as if it were the history."""
    verification = verified(options, seen)
    for finding in verification.findings:
        say(f"wrong: {in_words(finding)}", sys.stderr)
    if verification.findings:
        for note in verification.notes:
            say(f"note: {note}", sys.stderr)
        raise Wrong(f"{options.folder} does not verify")
    return verification


def say(line, stream=None):
    """Prints a line of an archive's making: nothing in it may reach the terminal as a command."""
    print("".join(character if character.isprintable() else ascii(character)[1:-1] for character in line), file=stream)


def in_words(finding):
    position = f"position {finding['position']}: " if finding["position"] else ""
    return f"{position}{finding['object']}: {finding['what']}"


def run_verify(options):
    verification = verified(options)
    report = verification.report()
    if options.format == "json":
        print(json.dumps(report, indent=2))
    else:
        is_to_compare = report["verifier"] and not report["is_key_pinned"]
        trust = " (named by the archive itself: compare it with the published one)" if is_to_compare else ""
        say(f"{options.folder}: {'WRONG' if report['findings'] else 'verified'}")
        say(f"  tenant       {report['tenant_id']}, at home in {report['region']}")
        say(f"  events       {report['size']} in {report['generations']} generations, {report['attachments']} attachments")
        say(f"  tree root    {report['root']}")
        say(f"  key          {report['verifier']}{trust}")
        for witness in report["witnesses"]:
            when = witness["at"] or "not checked: pass its key with --witness"
            say(f"  cosigned     {witness['name']} up to position {witness['size']}, {when}")
        say(f"  read         {report['objects']} objects, {report['bytes']} bytes")
        for note in report["notes"]:
            say(f"  note         {note}")
        for finding in report["findings"]:
            say(f"  wrong        {in_words(finding)}")
    if report["findings"]:
        raise Wrong(f"{options.folder} does not verify")


def run_print(options):
    if (options.keys is None) != (options.region_key is None):
        raise Usage("--keys and --region-key: one opens nothing without the other")
    if options.files and options.keys is None:
        raise Usage("--files: takes --keys and --region-key to open them")
    erasures = []

    def listed(position, envelope, payload):
        facts = facts_of(envelope)  # nothing is proven yet
        if facts and facts["stream"] == "erasures":
            erasures.append((position, envelope, payload))
    verification = sound(options, listed)
    keys = Keys(verification.tenant_id, options.region_key, options.keys)
    for erasure in [] if keys.is_empty else erasures:
        keys.destroy(*erasure)

    def show(*sealed):
        event = keys.open_event(*sealed)
        if options.format == "json":
            print(json.dumps(event, ensure_ascii=False, separators=(",", ":")))
        else:
            unseen = "(erased)" if event["is_erased"] else "(sealed)" if keys.is_empty else None
            data = unseen or json.dumps(event["data"], ensure_ascii=False)
            place = f"{event['stream']} {event['version']}"
            say(f"{event['position']:>8}  {event['recorded_at']}  {place}  {event['event_type']}  {event['actor']}  {data}")
        if options.files and event.get("blob"):
            write_file(options.files, keys, verification.folder, event)
    # Walked again, so that no history is too long to be held in memory.
    sound(options, show)


def write_file(target, keys, folder, event):
    opened = keys.open_file(event, folder.get(f"attachments/{event['blob']}"))
    if opened is not None:
        os.makedirs(target, exist_ok=True)
        with open(os.path.join(target, f"attachment-{attachment_of(event)}"), "wb") as file:
            file.write(opened)


def run_proof(options):
    entries = {}

    def seen(position, *event):
        if position == options.position:
            entries[position] = entry_of(*event)
    verification = sound(options, seen)
    if options.position not in entries:
        raise Usage(f"--position: takes 1 to {verification.size}")
    path = inclusion_path(verification.leaves, options.position - 1)
    lines = [PROOF, f"extra {base64.b64encode(entries[options.position]).decode()}", f"index {options.position - 1}"]
    lines += [base64.b64encode(hash_).decode() for hash_ in path]
    sys.stdout.write("\n".join(lines) + "\n\n" + verification.newest["checkpoint"])


def read_text(path):
    """A file somebody kept, or standard input: its bytes as they are, ends of lines too."""
    with sys.stdin.buffer if path == "-" else open(path, "rb") as file:
        text = file.read(TEXT_MAX)
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise Wrong(f"{path} is no text") from None


def run_consistency(options):
    note, verification = read_text(options.old), sound(options)
    (origin, *old), _ = verification.chain.open(lambda verifier: open_checkpoint(note, verifier))
    if origin != verification.origin:
        raise Wrong(f"the checkpoint is of another log: {origin}")
    old, leaves, here, path = tuple(old), verification.leaves, None, None
    new = verification.size, verification.tree.root()
    if old[0] > new[0]:
        found, wrong = "shorter", f"has lost its end: it holds {new[0]} events, and {old[0]} were signed"
    elif is_beginning(old, new, consistency_path(leaves, old[0])):
        found, wrong, path = "beginning", None, consistency_path(leaves, old[0])
    else:
        found, here = "fork", (old[0], root_of(leaves[:old[0]]))
        wrong = f"is forked: of its first {old[0]} events the key signed two histories"
    key = verification.chain.verifiers[verification.key_number]
    if options.format == "json":
        def tree(head):
            return head and {"size": head[0], "root": head[1].hex()}
        print(json.dumps({"origin": origin, "found": found, "old": tree(old), "published": tree(new), "published_at_old_size": tree(here),
                          "proof": None if path is None else [hash_.hex() for hash_ in path], "verifier": str(key)}, indent=2))
    else:
        say(f"{options.folder}: {found}; {old[0]} events with root {old[1].hex()} then, {new[0]} with root {new[1].hex()} now, key {key}")
    if wrong:
        raise Wrong(f"{options.folder} {wrong}")


def run_check(options):
    if not options.verifier:
        raise Usage("--verifier: a proof proves nothing without the key from elsewhere")
    match = PROOF_FORM.fullmatch(read_text(options.file))
    if not match:
        raise Wrong(f"{options.file} is no proof with its entry, or not as it is written: see c2sp.org/tlog-proof")
    entry, index, note = unbase64(match.group(1)), int(match.group(2)), match.group(4)
    path, verifier = [unbase64(line) for line in match.group(3).split()], options.verifier
    origin = note.split("\n")[0]
    # A region signs for all its tenants with the same keys, each under the name of its log.
    if origin != verifier.name and not origin.startswith(f"{verifier.name}/"):
        raise Wrong(f"the checkpoint is of another log: {origin}")
    chain = Chain(origin, [verifier.public_key])
    if options.folder:
        chain, _ = chain_of(Folder(options.folder), origin, verifier.public_key)
    (_, size, root), _ = chain.open(lambda key: open_checkpoint(note, key))
    if index >= size or root_by_path(leaf_of(entry), index, size, path) != root:
        raise Wrong("the proof does not lead to the root that was signed")
    facts = facts_of(entry)
    if facts is None or facts["tenant_id"] != origin.rpartition("/")[2]:
        raise Wrong("the entry is another tenant's, or no event's")
    print(json.dumps({"position": index + 1, "size": size, "origin": origin, "entry": facts}, indent=2))


def main():
    options = parser().parse_args()
    missing = [name for name in ("zstandard", "cryptography") if importlib.util.find_spec(name) is None]
    if missing:
        return failed(69, f"the Python package {' and '.join(missing)} is missing: python3 -m pip install zstandard cryptography, or "
                          "apt install python3-zstandard python3-cryptography")
    # A character that this terminal has not is escaped.
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options.run(options)
        return 0
    except Wrong as wrong:
        return failed(1, wrong)
    except BrokenPipeError:  # whoever reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Usage, OSError) as usage:
        return failed(64, usage)


def failed(code, why):
    say(f"domicile-archive: {why}", sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
