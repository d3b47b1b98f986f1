package sources

import (
	"embed"
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/trunkhook/trunkhook/handler/strictjson"
)

//go:embed *.json
var files embed.FS

// schemaFile is for editors. It is no source.
const schemaFile = "schema.json"

// Set are the sources of this build.
type Set struct {
	all    []*Source // in the order of their files
	byHTTP map[string]*Source
}

// Load reads the sources' files and applies overrides, which are empty or
// {"source": {"field": "expression"}}; an empty expression takes the field's
// away. The error is one line that names source, field and fault, for all faults
// at once.
func Load(overrides string) (Set, error) { return load(files, overrides) }

func load(dir fs.FS, overrides string) (Set, error) {
	var found faults
	changes := parseOverrides(overrides, &found)
	set := Set{byHTTP: make(map[string]*Source)}
	names, err := fs.Glob(dir, "*.json")
	if err != nil {
		return Set{}, err
	}
	for _, path := range names {
		name := strings.TrimSuffix(path, ".json")
		if path == schemaFile {
			continue
		}
		change := changes[name]
		delete(changes, name)
		if s := loadFile(dir, name, change, &found); s != nil {
			set.add(s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		found.add(name, "", "is overridden, but there is no such source")
	}
	checkTogether(set.all, &found)
	if len(found) > 0 {
		return Set{}, found
	}
	return set, nil
}

// loadFile reads one file; nil where it can't be read at all.
func loadFile(dir fs.FS, name string, change map[string]string, found *faults) *Source {
	content, err := fs.ReadFile(dir, name+".json")
	if err != nil {
		found.add(name, "", err.Error())
		return nil
	}
	f, err := parseFile(content)
	if err != nil {
		found.add(name, "", err.Error())
		return nil
	}
	for _, field := range slices.Sorted(maps.Keys(change)) {
		if text := f.expression(field); text != nil {
			*text = change[field]
		} else {
			found.add(name, field, "can't be overridden: only expressions can")
		}
	}
	b := builder{name: name, file: f, faults: found}
	return b.source()
}

// parseOverrides reads {"source": {"field": "expression"}}.
func parseOverrides(text string, found *faults) map[string]map[string]string {
	var changes map[string]map[string]string
	if strings.TrimSpace(text) == "" {
		return changes
	}
	_, err := strictjson.Parse([]byte(text))
	if err == nil && json.Unmarshal([]byte(text), &changes) != nil {
		err = strictjson.Error{Detail: `They must be {"source": {"field": "expression"}}.`}
	}
	if err != nil {
		found.add("", "", "the overrides can't be read: "+err.Error())
	}
	return changes
}

func (set *Set) add(s *Source) {
	set.all = append(set.all, s)
	if len(s.event) == 0 {
		set.byHTTP[s.Name] = s
	}
}

// Source is the one of a name that comes by HTTP.
func (set Set) Source(name string) (*Source, bool) {
	s, ok := set.byHTTP[name]
	return s, ok
}

// Names are those of the sources that come by HTTP, sorted.
func (set Set) Names() []string { return slices.Sorted(maps.Keys(set.byHTTP)) }

// All are the sources, also those that don't come by HTTP, in the order of their
// files.
func (set Set) All() []*Source { return slices.Clone(set.all) }
