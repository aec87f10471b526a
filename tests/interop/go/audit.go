package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const provenEntries = 100

// Audit checks a whole log: it hashes every entry up to the root, compares every tile, proves entries from the tiles,
// and compares with what was seen earlier.
func audit(directory string, keys note.Verifiers, earlier, proofs []string) (found findings) {
	content, err := os.ReadFile(filepath.Join(directory, "checkpoint"))
	if err != nil {
		found.add("checkpoint: %v", err)
		return found
	}
	tree, err := openCheckpoint(content, keys)
	if err != nil {
		found.add("checkpoint: %v", err)
		return found
	}
	leafHashes := readBundles(directory, tree.N, &found)
	hashed := levelsOver(leafHashes)
	compareRoot("the checkpoint", tree, hashed, &found)
	files := compareTiles(directory, tree.N, hashed, &found)
	reader := tlog.TileHashReader(tree, tileFiles{directory})
	proveEntries(tree, leafHashes, reader, &found)
	for _, path := range earlier {
		seen, err := seenCheckpoint(path, keys)
		follows(path, seen, err, tree, hashed, reader, &found)
	}
	for _, path := range proofs {
		seen, err := seenProof(path, keys)
		follows(path, seen, err, tree, hashed, reader, &found)
	}
	found.well = fmt.Sprintf("%d entries, %d files, root %v, follows %d seen earlier",
		tree.N, files, tree.Hash, len(earlier)+len(proofs))
	return found
}

// ReadBundles gives the leaf hashes of all entries. The places of a bundle that cannot be read stay empty, so that the
// other findings still say where they are.
func readBundles(directory string, size int64, found *findings) []tlog.Hash {
	hashes := make([]tlog.Hash, size)
	var lock sync.Mutex
	var group sync.WaitGroup
	work := make(chan int64)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for index := range work {
				path := tilePath(-1, index, size)
				into := hashes[index*width : min(size, (index+1)*width)]
				if err := readBundle(filepath.Join(directory, path), into); err != nil {
					lock.Lock()
					found.add("%s: %v", path, err)
					lock.Unlock()
				}
			}
		})
	}
	for index := int64(0); index*width < size; index++ {
		work <- index
	}
	close(work)
	group.Wait()
	return hashes
}

func readBundle(path string, into []tlog.Hash) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	hashes, err := leaves(content)
	if err != nil {
		return err
	}
	if copy(into, hashes); len(hashes) != len(into) {
		return fmt.Errorf("it has %d entries, not %d", len(hashes), len(into))
	}
	return nil
}

// CompareRoot checks that the entries that are there now lead to a root.
func compareRoot(what string, tree tlog.Tree, hashed levels, found *findings) {
	root, err := tlog.TreeHash(tree.N, hashed)
	if err != nil {
		found.add("%s: %v", what, err)
	} else if root != tree.Hash {
		found.add("the first %d entries have the root %v, %s says %v", tree.N, root, what, tree.Hash)
	}
}

// CompareTiles checks that every tile of the size is there, and that every tile file, older partial ones among them, is
// what the entries say. Tiles of entries after the checkpoint are not judged. It gives the number of files.
func compareTiles(directory string, size int64, hashed levels, found *findings) int {
	wanted := map[string]bool{}
	for level, hashes := range hashed {
		for index := int64(0); index*width < int64(len(hashes)); index++ {
			wanted[tilePath(level, index, int64(len(hashes)))] = true
			if level == 0 {
				wanted[tilePath(-1, index, size)] = true
			}
		}
	}
	files := 0
	err := filepath.WalkDir(filepath.Join(directory, "tile"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(directory, path)
		if err == nil {
			files++
			delete(wanted, name)
			if wrong := compareTile(path, name, hashed); wrong != nil {
				found.add("%s: %v", name, wrong)
			}
		}
		return err
	})
	if err != nil && size > 0 {
		found.add("%v", err)
	}
	for name := range wanted {
		found.add("%s is missing", name)
	}
	return files
}

func compareTile(path, name string, hashed levels) error {
	below := strings.Replace(strings.TrimPrefix(filepath.ToSlash(name), "tile/"), "entries/", "data/", 1)
	tile, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s", height, below))
	if err != nil {
		return err
	}
	bundle := tile.L < 0
	level := max(0, tile.L)
	first := tile.N * width
	if level >= len(hashed) || first+int64(tile.W) > int64(len(hashed[level])) {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	got := make([]tlog.Hash, 0, width)
	if bundle {
		if tile.W == width || first+int64(tile.W) == int64(len(hashed[0])) {
			return nil // It was hashed already.
		}
		if got, err = leaves(content); err != nil {
			return err
		}
	} else {
		for at := 0; at+tlog.HashSize <= len(content); at += tlog.HashSize {
			got = append(got, tlog.Hash(content[at:at+tlog.HashSize]))
		}
		if len(content) != tile.W*tlog.HashSize {
			return fmt.Errorf("it has %d bytes, not those of %d hashes", len(content), tile.W)
		}
	}
	if len(got) != tile.W {
		return fmt.Errorf("it has %d entries, not %d", len(got), tile.W)
	}
	for number, one := range got {
		if should := hashed[level][first+int64(number)]; !bytes.Equal(one[:], should[:]) {
			return fmt.Errorf("hash %d is %v, the entries say %v", number, one, should)
		}
	}
	return nil
}

// ProveEntries proves entries evenly over the log from the tiles, as a client does that asks for a few.
func proveEntries(tree tlog.Tree, leafHashes []tlog.Hash, reader tlog.HashReader, found *findings) {
	step := max(1, tree.N/provenEntries)
	for index := int64(0); index < tree.N; index += step {
		path, err := tlog.ProveRecord(tree.N, index, reader)
		if err == nil {
			err = tlog.CheckRecord(path, tree.N, tree.Hash, index, leafHashes[index])
		}
		if err != nil {
			found.add("entry %d is not proven: %v", index, err)
			return
		}
	}
}

func seenCheckpoint(path string, keys note.Verifiers) (tlog.Tree, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	return openCheckpoint(content, keys)
}

func seenProof(path string, keys note.Verifiers) (tlog.Tree, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	tree, _, err := checkProof(content, nil, keys)
	return tree, err
}

// Follows checks that the log goes on from a tree that was seen earlier: by the entries, and by a consistency proof
// from the tiles.
func follows(
	path string, seen tlog.Tree, err error, tree tlog.Tree, hashed levels, reader tlog.HashReader, found *findings,
) {
	what := "seen earlier (" + filepath.Base(path) + ")"
	switch {
	case err != nil:
		found.add("%s: %v", what, err)
	case seen.N > tree.N:
		found.add("cut: %s has %d entries, the log now %d", what, seen.N, tree.N)
	case seen.N == 0:
	default:
		compareRoot(what, seen, hashed, found)
		proof, err := tlog.ProveTree(tree.N, seen.N, reader)
		if err == nil {
			err = tlog.CheckTree(proof, tree.N, tree.Hash, seen.N, seen.Hash)
		}
		if err != nil {
			found.add("fork: the log does not follow %s: %v", what, err)
		}
	}
}
