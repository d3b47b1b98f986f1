package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/trunkhook/trunkhook/handler/verify"
	"github.com/trunkhook/trunkhook/internal/secrets"
	"github.com/trunkhook/trunkhook/internal/sender"
)

// keys are what a sender of source api proves itself with; one of them may be empty.
type keys struct {
	signing string // whsec_...
	bearer  string
}

// sourceAPI is the source that signups are sent to.
const sourceAPI = "api"

// signingPrefix is that of the secrets that can sign here.
const signingPrefix = "whsec_"

// hide takes the secrets out of a text that somebody else had a part in.
func (k keys) hide(text string) string {
	for _, secret := range []string{k.signing, k.bearer} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "(the secret)")
		}
	}
	return text
}

// readKeys takes the first secret of each way. A local system's everybody knows.
func readKeys(file string, local bool) (keys, error) {
	if file == "" {
		if local {
			return keysOf(sender.Secrets()[sourceAPI]), nil
		}
		return keys{}, errors.New("-secret-file is missing: a file with a secret of source api (make smoke SECRET_FILE=...)")
	}
	text, err := os.ReadFile(file) //nolint:gosec // the file that the user names
	var inPath *os.PathError
	if errors.As(err, &inPath) { // not the path: it may be the secret itself
		return keys{}, fmt.Errorf("-secret-file can't be read: %w", inPath.Err)
	}
	if err != nil {
		return keys{}, err
	}
	list, err := parseSecrets(string(text))
	if err != nil {
		return keys{}, fmt.Errorf("%s: %w", file, err)
	}
	k := keysOf(list)
	if k == (keys{}) {
		return keys{}, fmt.Errorf("%s: it has neither a bearer token of source api nor a secret that signs (whsec_...)", file)
	}
	return k, nil
}

// parseSecrets reads the sources' secret, or a secret a line. Its errors repeat nothing.
func parseSecrets(text string) (list []string, err error) {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		all, err := secrets.ParseSources(text)
		if err != nil {
			return nil, err
		}
		list = all[sourceAPI]
	} else {
		list = strings.Split(text, "\n")
	}
	for i, secret := range list {
		for _, label := range []string{"bearer token ", "signing secret "} { // as make secrets shows them
			secret = strings.TrimPrefix(strings.TrimSpace(secret), label)
		}
		list[i] = strings.TrimSpace(secret)
		switch {
		case list[i] == "":
		case strings.ContainsAny(list[i], " \t"):
			return nil, fmt.Errorf("secret %d holds white space", i+1)
		default:
			if err := verify.CheckSecret(list[i]); err != nil {
				return nil, fmt.Errorf("secret %d: %w", i+1, err)
			}
		}
	}
	return list, nil
}

func keysOf(list []string) (k keys) {
	for _, secret := range list {
		switch {
		case strings.HasPrefix(secret, signingPrefix):
			if k.signing == "" {
				k.signing = secret
			}
		case verify.Signs(secret): // the public key of somebody else
		case k.bearer == "":
			k.bearer = secret
		}
	}
	return k
}
