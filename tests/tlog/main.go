// Command tlog reads a tenant's Merkle log with clients that this project did not write: tessera's fsck and client, and the
// tlog and note packages of the Go project. What stands here only calls them.
//
//	tlog fsck FOLDER KEY                   the checkpoint, every entry bundle and every tile
//	tlog grown FOLDER KEY OLD_CHECKPOINT   is the old checkpoint's tree the beginning of the new one?
//	tlog proof FILE KEY                    a c2sp.org/tlog-proof that carries its entry
//
// FOLDER holds `checkpoint` and `tile/`. Exit codes: 0 it holds, 1 it does not, 64 wrong use.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "tlog: takes fsck|grown|proof, a folder or file, a verifier key")
		os.Exit(64)
	}
	verifier, err := note.NewVerifier(os.Args[3])
	if err == nil {
		err = run(context.Background(), os.Args[1], os.Args[2], verifier, os.Args[4:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tlog:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, verb, path string, verifier note.Verifier, rest []string) error {
	switch {
	case verb == "fsck" && len(rest) == 0:
		return fsck.New(verifier.Name(), verifier, &client.FileFetcher{Root: path}, leaves, fsck.Opts{N: 2}).Check(ctx)
	case verb == "grown" && len(rest) == 1:
		return grown(ctx, path, verifier, rest[0])
	case verb == "proof" && len(rest) == 0:
		return check(path, verifier)
	}
	return errors.New("takes fsck FOLDER KEY, grown FOLDER KEY OLD_CHECKPOINT or proof FILE KEY")
}

// leaves are the Merkle leaves of a bundle.
func leaves(raw []byte) ([][]byte, error) {
	bundle := &api.EntryBundle{}
	if err := bundle.UnmarshalText(raw); err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, entry := range bundle.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// grown proves consistency from the log's tiles.
func grown(ctx context.Context, folder string, verifier note.Verifier, oldPath string) error {
	files := &client.FileFetcher{Root: folder}
	now, _, _, err := client.FetchCheckpoint(ctx, files.ReadCheckpoint, verifier, verifier.Name())
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(oldPath)
	if err != nil {
		return err
	}
	old, _, _, err := log.ParseCheckpoint(raw, verifier.Name(), verifier)
	if err != nil {
		return err
	}
	builder, err := client.NewProofBuilder(ctx, now.Size, files.ReadTile)
	if err != nil {
		return err
	}
	hashes, err := builder.ConsistencyProof(ctx, old.Size, now.Size)
	if err != nil {
		return err
	}
	return proof.VerifyConsistency(rfc6962.DefaultHasher, old.Size, now.Size, hashes, old.Hash, now.Hash)
}

// check holds a proof against the checkpoint in it.
func check(path string, verifier note.Verifier) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, signed, found := bytes.Cut(raw, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a proof")
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return err
	}
	checkpoint := &log.Checkpoint{}
	if _, err := checkpoint.Unmarshal([]byte(opened.Text)); err != nil {
		return err
	}
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	var hashes tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		hashes = append(hashes, hash)
	}
	return tlog.CheckRecord(hashes, int64(checkpoint.Size), tlog.Hash(checkpoint.Hash), index, tlog.RecordHash(extra))
}
