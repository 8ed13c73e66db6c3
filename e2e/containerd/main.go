// How containerd reads platforms and chooses manifests, behind a pipe: one JSON question a line on
// standard input, one JSON answer a line on standard output.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

type question struct {
	Platform string `json:"platform"`
	// Documents are texts by digest. Without any, the platform alone is asked for.
	Documents map[string]string `json:"documents"`
	// Root is what the image's name stands for.
	Root ocispec.Descriptor `json:"root"`
}

type answer struct {
	// Error stands alone; a text for people only.
	Error    string    `json:"error,omitempty"`
	Platform *platform `json:"platform,omitempty"`
	// Chosen is the annotation "name" of a manifest.
	Chosen string `json:"chosen,omitempty"`
}

type platform struct {
	ocispec.Platform
	Text string `json:"text"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	// Not buffered: each question waits for its answer.
	encoder := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		if err := encoder.Encode(reply(lines.Bytes())); err != nil {
			fail(err)
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func reply(line []byte) answer {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		fail(err)
	}
	p, err := platforms.Parse(q.Platform)
	if err != nil {
		return answer{Error: err.Error()}
	}
	if q.Documents == nil {
		return answer{Platform: &platform{Platform: p, Text: platforms.FormatAll(p)}}
	}
	// As for a node that is of this platform.
	manifest, err := images.Manifest(context.Background(), store(q.Documents), q.Root, platforms.Only(p))
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Chosen: manifest.Annotations["name"]}
}

// store is a content store in memory.
type store map[string]string

func (s store) ReaderAt(_ context.Context, d ocispec.Descriptor) (content.ReaderAt, error) {
	text, ok := s[d.Digest.String()]
	if !ok {
		return nil, errdefs.ErrNotFound
	}
	return document{bytes.NewReader([]byte(text))}, nil
}

type document struct{ *bytes.Reader }

func (document) Close() error { return nil }
