package provision

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/trunkhook/trunkhook/exotel"
)

// trunkName is the name of the signup's trunk: a generation after the first is as
// another signup, whose id no sender can have.
func (s Signup) trunkName(prefix string) string {
	if s.generation() == 1 {
		return TrunkName(prefix, s.ID)
	}
	return TrunkName(prefix, s.ID+"#"+strconv.Itoa(s.Generation))
}

// TrunkName is the name of a signup's trunk: the prefix, an underscore and as
// much of the id's SHA-256 as fits into Exotel's 16 characters. That is 60 bits
// of hash with a prefix of 3, 65 with 2 and 70 with 1: at 65 bits and a million
// signups, the odds that any two meet are 1 in 70 million.
//
// The underscore is in no prefix and in no hash, so names of two environments
// never mix and an environment can tell its own.
func TrunkName(prefix, signupID string) string {
	sum := sha256.Sum256([]byte(signupID))
	hash := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))
	return prefix + "_" + hash[:exotel.MaxTrunkName-len(prefix)-1]
}

var trunkPrefix = regexp.MustCompile(`^[a-z0-9]{1,3}$`)

// CheckPrefix refuses what can't start a trunk's name.
func CheckPrefix(prefix string) error {
	if !trunkPrefix.MatchString(prefix) {
		return errors.New("must be 1 to 3 lower-case letters or digits")
	}
	return nil
}
