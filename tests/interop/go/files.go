package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

// TilePath is where a tile lies by C2SP tlog-tiles: as in tlog, without the height. Level -1 is that of the bundles.
func tilePath(level int, index, size int64) string {
	tile := tlog.Tile{H: height, L: level, N: index, W: int(min(width, size-index*width))}
	below := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
	return "tile/" + strings.Replace(below, "data/", "entries/", 1)
}

// Leaves gives the leaf hashes of a bundle: entries that each come after their length in two bytes.
func leaves(bundle []byte) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, 0, width)
	for at := 0; at < len(bundle); {
		if at+2 > len(bundle) {
			return nil, fmt.Errorf("the bundle ends within a length")
		}
		end := at + 2 + int(binary.BigEndian.Uint16(bundle[at:]))
		if end > len(bundle) {
			return nil, fmt.Errorf("the bundle ends within an entry")
		}
		hashes = append(hashes, tlog.RecordHash(bundle[at+2:end]))
		at = end
	}
	return hashes, nil
}

// TileFiles reads tiles for tlog.TileHashReader, which checks each against the tree's root.
type tileFiles struct{ directory string }

func (tileFiles) Height() int { return height }

func (tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (f tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, 0, len(tiles))
	for _, one := range tiles {
		content, err := os.ReadFile(filepath.Join(f.directory, tilePath(one.L, one.N, one.N*width+int64(one.W))))
		if os.IsNotExist(err) && one.W < width {
			// The fuller tile may have taken the place of the partial one.
			content, err = os.ReadFile(filepath.Join(f.directory, tilePath(one.L, one.N, (one.N+1)*width)))
		}
		if err != nil {
			return nil, err
		}
		found = append(found, content[:min(len(content), one.W*tlog.HashSize)])
	}
	return found, nil
}

// Levels are the hashes of a tree as tiles hold them: of level l, the roots of the complete subtrees of 256^l leaves.
type levels [][]tlog.Hash

func levelsOver(leafHashes []tlog.Hash) levels {
	all := levels{leafHashes}
	for below := leafHashes; len(below) >= width; below = all[len(all)-1] {
		above := make([]tlog.Hash, len(below)/width)
		for index := range above {
			above[index] = complete(below[index*width : (index+1)*width])
		}
		all = append(all, above)
	}
	return all
}

// Complete gives the root over a power of two of hashes.
func complete(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	middle := len(hashes) / 2
	return tlog.NodeHash(complete(hashes[:middle]), complete(hashes[middle:]))
}

// ReadHashes makes the levels a tlog.HashReader.
func (l levels) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, 0, len(indexes))
	for _, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		within := int64(1) << (level % height)
		if level/height >= len(l) || (n+1)*within > int64(len(l[level/height])) {
			return nil, fmt.Errorf("there is no hash %d of level %d", n, level)
		}
		found = append(found, complete(l[level/height][n*within:(n+1)*within]))
	}
	return found, nil
}
