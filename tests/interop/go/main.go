// Logcheck checks a signing log from its published files alone, with the Go project's own sumdb/note and tlog: no code
// of the service is in it.
//
//	logcheck audit -key VKEYFILE [-earlier CHECKPOINT]... [-proof PROOF]... DIRECTORY
//	logcheck proof -key VKEYFILE [-entry FILE] PROOF
//
// It prints what it found and exits 0 when all is well, 1 when the log is not what its checkpoint says, 2 when it was
// called wrongly.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const mostPrinted = 10

type paths []string

func (p *paths) String() string { return strings.Join(*p, ",") }

func (p *paths) Set(value string) error {
	*p = append(*p, value)
	return nil
}

func main() {
	if len(os.Args) < 2 {
		misused("audit or proof?")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	keyFile := flags.String("key", "", "file with the log's verifier key (name+id+key), and those that it had before, a line each")
	var earlier, proofs paths
	flags.Var(&earlier, "earlier", "file with a checkpoint seen earlier, which the log must follow")
	flags.Var(&proofs, "proof", "file with a tlog-proof issued earlier, which must hold and which the log must follow")
	entryFile := flags.String("entry", "", "file with the entry, where the proof does not bring it")
	if flags.Parse(os.Args[2:]); flags.NArg() != 1 {
		misused("one directory or proof is needed")
	}
	keys, err := readKeys(*keyFile)
	if err != nil {
		misused(err.Error())
	}
	var found findings
	switch os.Args[1] {
	case "audit":
		found = audit(flags.Arg(0), keys, earlier, proofs)
	case "proof":
		found = checkProofFile(flags.Arg(0), *entryFile, keys)
	default:
		misused("audit or proof?")
	}
	found.report()
}

func readKeys(path string) (note.Verifiers, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var keys []note.Verifier
	for _, line := range strings.Fields(string(text)) {
		key, err := note.NewVerifier(line)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return note.VerifierList(keys...), nil
}

func misused(reason string) {
	fmt.Fprintln(os.Stderr, "logcheck:", reason)
	os.Exit(2)
}

// Findings are what was seen: what is wrong, and one sentence on what is well.
type findings struct {
	wrong []string
	well  string
}

func (f *findings) add(format string, values ...any) {
	f.wrong = append(f.wrong, fmt.Sprintf(format, values...))
}

func (f *findings) report() {
	if len(f.wrong) == 0 {
		fmt.Println("ok:", f.well)
		return
	}
	for number, one := range f.wrong {
		if number == mostPrinted {
			fmt.Printf("and %d more\n", len(f.wrong)-mostPrinted)
			break
		}
		fmt.Println("wrong:", one)
	}
	os.Exit(1)
}
