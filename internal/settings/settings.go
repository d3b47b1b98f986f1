// Package settings reads what a process is told by its environment. All that is
// wrong is said at once, in one line that names each setting and no value.
package settings

import (
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// Settings are those of the two Lambda functions; the table in README.md says
// what each means.
type Settings struct {
	SignupsTable    string        // SIGNUPS_TABLE
	ExotelSecretID  string        // EXOTEL_SECRET_ID
	SourcesSecretID string        // SOURCES_SECRET_ID; the webhook's only
	ExotelBaseURL   string        // EXOTEL_BASE_URL
	AllowPlainHTTP  bool          // ExotelBaseURL is http to a private address, under sam local
	PublicURL       string        // PUBLIC_URL, without a slash at the end
	TrunkPrefix     string        // TRUNK_PREFIX
	ReplyWithin     time.Duration // REPLY_WITHIN
	CallsPerMinute  int           // EXOTEL_CALLS_PER_MINUTE; 0 for no limit
	PasswordsPath   string        // PASSWORDS_PATH
	AllowDelete     bool          // ALLOW_DELETE

	SourcesOverrides string // SOURCES_OVERRIDES, as sources.Load reads it; the webhook's only
}

// Defaults of the settings that have one.
const (
	DefaultTrunkPrefix    = "th"
	DefaultReplyWithin    = 4 * time.Second
	DefaultCallsPerMinute = 180 // Exotel allows an account 200
	DefaultPasswordsPath  = "/trunkhook"
)

// maxCallsPerMinute is beyond any account's limit; what is meant for another
// unit is more likely above it.
const maxCallsPerMinute = 100_000

// The bounds of REPLY_WITHIN. With less there is no time for any call; a function
// is stopped after 15 minutes (Lambda quotas), and whoever calls it decides how long
// an answer is waited for.
const (
	minReplyWithin = 100 * time.Millisecond
	maxReplyWithin = 15 * time.Minute
)

// Webhook reads the settings of cmd/webhook.
func Webhook(getenv func(string) string) (Settings, error) {
	r := reader{getenv: getenv}
	s := r.shared()
	s.SourcesSecretID = r.required("SOURCES_SECRET_ID")
	s.SourcesOverrides = r.getenv("SOURCES_OVERRIDES")
	return s, r.err()
}

// Reconciler reads the settings of cmd/reconciler.
func Reconciler(getenv func(string) string) (Settings, error) {
	r := reader{getenv: getenv}
	return r.shared(), r.err()
}

// reader collects faults.
type reader struct {
	getenv func(string) string
	faults []string
}

func (r *reader) fault(name, what string) { r.faults = append(r.faults, name+" "+what) }

func (r *reader) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	return errors.New(strings.Join(r.faults, "; "))
}

// shared are those of both functions. Where one of them is set for the reconciler,
// which doesn't answer anybody, it has to be right all the same.
func (r *reader) shared() Settings {
	s := Settings{
		SignupsTable:   r.table(),
		ExotelSecretID: r.required("EXOTEL_SECRET_ID"),
		PublicURL:      r.publicURL(),
		TrunkPrefix:    DefaultTrunkPrefix,
		ReplyWithin:    r.replyWithin(),
		CallsPerMinute: r.callsPerMinute(),
		PasswordsPath:  r.passwordsPath(),
		AllowDelete:    r.allowDelete(),
	}
	s.ExotelBaseURL, s.AllowPlainHTTP = r.exotelBaseURL()
	if prefix := r.getenv("TRUNK_PREFIX"); prefix != "" {
		s.TrunkPrefix = prefix
	}
	if err := provision.CheckPrefix(s.TrunkPrefix); err != nil {
		r.fault("TRUNK_PREFIX", err.Error())
	}
	return s
}

func (r *reader) required(name string) string {
	value := r.getenv(name)
	switch {
	case value == "":
		r.fault(name, "is not set")
	case strings.ContainsAny(value, " \t\r\n"):
		r.fault(name, "holds white space")
	}
	return value
}

// tableName is a name or an ARN, as DynamoDB takes them (API reference, TableName).
// How long is asked apart: repeat counts make an expression dear to compile, at every start.
var tableName = regexp.MustCompile(`^(arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]+:table/)?[A-Za-z0-9_.-]+$`)

func isTable(value string) bool {
	name := value[strings.LastIndex(value, "/")+1:]
	return len(name) >= 3 && len(name) <= 255 && tableName.MatchString(value)
}

func (r *reader) table() string {
	value := r.getenv("SIGNUPS_TABLE")
	switch {
	case value == "":
		r.fault("SIGNUPS_TABLE", "is not set")
	case !isTable(value):
		r.fault("SIGNUPS_TABLE", "must be the name of a table, or its ARN")
	}
	return value
}

// passwordsPath is the start of a parameter's name (Systems Manager, PutParameter:
// letters, digits and . - _ in at most 15 levels, of which two are the password's own).
var passwordsPath = regexp.MustCompile(`^(/[A-Za-z0-9._-]+)+$`)

func isPasswordsPath(value string) bool {
	tooLong := func(level string) bool { return len(level) > 128 }
	return passwordsPath.MatchString(value) && strings.Count(value, "/") <= 5 && !slices.ContainsFunc(strings.Split(value, "/"), tooLong)
}

func (r *reader) passwordsPath() string {
	value := r.getenv("PASSWORDS_PATH")
	if value == "" {
		return DefaultPasswordsPath
	}
	if !isPasswordsPath(value) {
		r.fault("PASSWORDS_PATH", "must be the start of a parameter's name, such as "+DefaultPasswordsPath)
	}
	return value
}

func (r *reader) replyWithin() time.Duration {
	value := r.getenv("REPLY_WITHIN")
	if value == "" {
		return DefaultReplyWithin
	}
	within, err := time.ParseDuration(value)
	if err != nil || within < minReplyWithin || within > maxReplyWithin {
		r.fault("REPLY_WITHIN", "must be a duration from 100ms to 15m, such as 4s")
	}
	return within
}

func (r *reader) callsPerMinute() int {
	n, err := CallsPerMinute(r.getenv)
	if err != nil {
		r.faults = append(r.faults, err.Error())
	}
	return n
}

// CallsPerMinute reads EXOTEL_CALLS_PER_MINUTE, which cmd/local has as well.
func CallsPerMinute(getenv func(string) string) (int, error) {
	value := getenv("EXOTEL_CALLS_PER_MINUTE")
	if value == "" {
		return DefaultCallsPerMinute, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > maxCallsPerMinute {
		return 0, errors.New("EXOTEL_CALLS_PER_MINUTE must be a whole number from 0 (no limit) to 100000")
	}
	return n, nil
}

func (r *reader) allowDelete() bool {
	allow, err := AllowDelete(r.getenv)
	if err != nil {
		r.faults = append(r.faults, err.Error())
	}
	return allow
}

// AllowDelete reads ALLOW_DELETE, which cmd/local has as well.
func AllowDelete(getenv func(string) string) (bool, error) {
	switch getenv("ALLOW_DELETE") {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, errors.New("ALLOW_DELETE must be true or false")
}

func (r *reader) publicURL() string {
	value := strings.TrimRight(r.getenv("PUBLIC_URL"), "/")
	if value == "" && r.getenv("PUBLIC_URL") == "" {
		return ""
	}
	if _, err := exotel.ParseBaseURL(value); err != nil {
		r.fault("PUBLIC_URL", err.Error())
	}
	return value
}

// exotelBaseURL also tells whether it is one that only sam local may use.
func (r *reader) exotelBaseURL() (base string, allowPlainHTTP bool) {
	base = r.getenv("EXOTEL_BASE_URL")
	if base == "" {
		return "", false
	}
	parsed, err := exotel.ParseBaseURL(base)
	if err != nil {
		r.fault("EXOTEL_BASE_URL", err.Error())
		return "", false
	}
	allowPlainHTTP = r.getenv("AWS_SAM_LOCAL") == "true" && isPrivate(parsed.Hostname())
	// What the client would refuse is refused at start.
	_, err = exotel.New(exotel.Config{APIKey: "-", APIToken: "-", AccountSID: "x", BaseURL: base, AllowPlainHTTP: allowPlainHTTP})
	if err != nil {
		r.fault("EXOTEL_BASE_URL", "must be https; plain http only to a loopback host, or to a private address under sam local")
	}
	return base, allowPlainHTTP
}

// isPrivate: an address of a private network, or the name that container
// engines give to the machine that they run on.
func isPrivate(host string) bool {
	if host == "host.docker.internal" || host == "host.containers.internal" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsPrivate()
}
