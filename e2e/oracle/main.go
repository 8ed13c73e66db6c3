// The originals that parts of tagpin must agree with, behind a pipe: one JSON question a line on
// standard input, one JSON answer a line on standard output.
package main

import (
	"bufio"
	// kubelet links both (pkg/util/parsers), and with them the digests a reference may carry.
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/json"
	"fmt"
	"os"

	"github.com/distribution/reference"
	"github.com/go-logr/logr"
	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/secrets"
	"k8s.io/kubernetes/pkg/util/parsers"
)

type question struct {
	Kind    string      `json:"kind"`
	Text    string      `json:"text"`
	Secrets []v1.Secret `json:"secrets"`
	Image   string      `json:"image"`
	Plugins []plugin    `json:"plugins"`
}

// plugin is an exec credential provider, and what it answers.
type plugin struct {
	MatchImages []string              `json:"matchImages"`
	Auth        map[string]credential `json:"auth"`
}

type answer struct {
	// Error stands alone; a text for people only.
	Error       string       `json:"error,omitempty"`
	Reference   *parts       `json:"reference,omitempty"`
	Credentials []credential `json:"credentials"`
}

type parts struct {
	Name   string `json:"name"`
	Domain string `json:"domain"`
	Path   string `json:"path"`
	Tag    string `json:"tag,omitempty"`
	Digest string `json:"digest,omitempty"`
}

type credential struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

func main() {
	// The keyring logs each entry it passes over.
	klog.SetLogger(logr.Discard())
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
	switch q.Kind {
	case "reference":
		return parseReference(q.Text)
	case "keyring":
		return lookup(q.Secrets, q.Image)
	case "plugins":
		return provide(q.Plugins, q.Image)
	}
	fail(fmt.Errorf("unknown kind %q", q.Kind))
	return answer{}
}

func parseReference(text string) answer {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return answer{Error: err.Error()}
	}
	p := parts{Name: named.Name(), Domain: reference.Domain(named), Path: reference.Path(named)}
	if tagged, ok := named.(reference.Tagged); ok {
		p.Tag = tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		p.Digest = digested.Digest().String()
	}
	return answer{Reference: &p}
}

// lookup does what kubelet's PullImage does with the secrets of a Pod on a node without any
// credentials of its own.
func lookup(pullSecrets []v1.Secret, image string) answer {
	name, _, _, err := parsers.ParseImageName(image)
	if err != nil {
		return answer{Error: err.Error()}
	}
	keyring, err := secrets.MakeDockerKeyring(pullSecrets, credentialprovider.UnionDockerKeyring{})
	if err != nil {
		return answer{Error: err.Error()}
	}
	return found(keyring, name)
}

// provide does what kubelet does with exec credential providers (pkg/credentialprovider/plugin):
// isImageAllowed() and the keyring of plugins.go, around programs that answer.
func provide(plugins []plugin, image string) answer {
	name, _, _, err := parsers.ParseImageName(image)
	if err != nil {
		return answer{Error: err.Error()}
	}
	keyring := &credentialprovider.BasicDockerKeyring{}
	for _, p := range plugins {
		config := credentialprovider.DockerConfig{}
		if allowed(p.MatchImages, name) {
			for key, c := range p.Auth {
				config[key] = credentialprovider.DockerConfigEntry{Username: c.Username, Password: c.Password}
			}
		}
		keyring.Add(nil, config)
	}
	return found(keyring, name)
}

func allowed(globs []string, name string) bool {
	for _, glob := range globs {
		if matched, _ := credentialprovider.URLsMatchStr(glob, name); matched {
			return true
		}
	}
	return false
}

func found(keyring credentialprovider.DockerKeyring, name string) answer {
	a := answer{Credentials: []credential{}}
	configs, _ := keyring.Lookup(name)
	for _, c := range configs {
		a.Credentials = append(a.Credentials, credential{c.Username, c.Password})
	}
	return a
}
