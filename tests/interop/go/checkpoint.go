package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const proofHeader = "c2sp.org/tlog-proof@v1"

// OpenCheckpoint gives the tree of a checkpoint (C2SP tlog-checkpoint) that one of the log's keys signed.
func openCheckpoint(content []byte, keys note.Verifiers) (tlog.Tree, error) {
	opened, err := note.Open(content, keys)
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.SplitN(opened.Text, "\n", 4)
	if len(lines) != 4 {
		return tlog.Tree{}, errors.New("a checkpoint has at least three lines")
	}
	if signer := opened.Sigs[0].Name; lines[0] != signer {
		return tlog.Tree{}, fmt.Errorf("the checkpoint is of %q, the key of %q", lines[0], signer)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("%q is no size", lines[1])
	}
	root, err := decodeHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func decodeHash(text string) (tlog.Hash, error) {
	value, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(value) != tlog.HashSize {
		return tlog.Hash{}, fmt.Errorf("%q is no hash", text)
	}
	return tlog.Hash(value), nil
}

// CheckProof verifies a tlog-proof@v1 file and gives the tree of its checkpoint. The entry is that of the file when
// none is given.
func checkProof(content, entry []byte, keys note.Verifiers) (tlog.Tree, int64, error) {
	head, checkpoint, found := bytes.Cut(content, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || lines[0] != proofHeader {
		return tlog.Tree{}, 0, errors.New("this is no " + proofHeader)
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		extra, err := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(lines[0], "extra "))
		if err != nil {
			return tlog.Tree{}, 0, fmt.Errorf("extra: %w", err)
		}
		if entry == nil {
			entry = extra
		}
		lines = lines[1:]
	}
	if entry == nil {
		return tlog.Tree{}, 0, errors.New("the proof does not bring its entry: name it")
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return tlog.Tree{}, 0, errors.New("the proof has no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return tlog.Tree{}, 0, err
	}
	var path tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := decodeHash(line)
		if err != nil {
			return tlog.Tree{}, 0, err
		}
		path = append(path, hash)
	}
	tree, err := openCheckpoint(checkpoint, keys)
	if err != nil {
		return tlog.Tree{}, 0, err
	}
	if index < 0 || index >= tree.N {
		return tlog.Tree{}, 0, fmt.Errorf("a tree of %d entries has none of index %d", tree.N, index)
	}
	return tree, index, tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

func checkProofFile(path, entryFile string, keys note.Verifiers) (found findings) {
	content, err := os.ReadFile(path)
	var entry []byte
	if err == nil && entryFile != "" {
		entry, err = os.ReadFile(entryFile)
	}
	if err != nil {
		misused(err.Error())
	}
	tree, index, err := checkProof(content, entry, keys)
	if err != nil {
		found.add("%s: %v", path, err)
	}
	found.well = fmt.Sprintf("entry %d is in the tree of %d entries with root %v", index, tree.N, tree.Hash)
	return found
}
