package sources

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/sources.md is for people who don't read these files. It must say of each
// what the file says.
const page = "../../docs/sources.md"

var (
	heading  = regexp.MustCompile(`(?m)^#{2,3} .*$`)
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	fenced   = regexp.MustCompile("(?s)```json ?([a-z]*)\n(.*?)```")
	route    = regexp.MustCompile("[>`]/webhooks/([a-z0-9-]+)")
	secret   = regexp.MustCompile(`-(?:set|add|drop) ([a-z0-9-]+)`)
	sourceOf = regexp.MustCompile(`\bSOURCE=([a-z0-9-]+)`)
)

func readPage(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// shippedFiles are the sources' files, read, by the sources' names.
func shippedFiles(t *testing.T) map[string]file {
	t.Helper()
	found := make(map[string]file)
	for name, content := range shipped(t) {
		f, err := parseFile(content)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found[strings.TrimSuffix(name, ".json")] = f
	}
	return found
}

// sections are the parts of the page by the sources that their headings name.
func sections(t *testing.T, text string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	headings := heading.FindAllStringIndex(text, -1)
	for i, at := range headings {
		end := len(text)
		if i+1 < len(headings) {
			end = headings[i+1][0]
		}
		for _, name := range spans(text[at[0]:at[1]]) {
			if found[name] != "" {
				t.Errorf("two sections are about %s", name)
			}
			found[name] = text[at[0]:end]
		}
	}
	return found
}

// spans are the texts between single back quotes.
func spans(text string) (texts []string) {
	for _, match := range codeSpan.FindAllStringSubmatch(text, -1) {
		texts = append(texts, match[1])
	}
	return texts
}

// rows are those of the table whose head begins so, without the head, in cells.
func rows(t *testing.T, text, head string) (rows [][]string) {
	t.Helper()
	_, table, found := strings.Cut(text, "\n| "+head+" |")
	if !found {
		t.Fatalf("the page has no table %q", head)
	}
	for _, line := range strings.Split(table, "\n")[2:] {
		if !strings.HasPrefix(line, "|") {
			break
		}
		rows = append(rows, strings.Split(strings.Trim(line, "|"), "|"))
	}
	return rows
}

// example is the source that the page adds.
const example = "billing"

func TestThePageHasASectionForEverySource(t *testing.T) {
	t.Parallel()
	sections, files := sections(t, readPage(t)), shippedFiles(t)
	for name := range sections {
		if _, ok := files[name]; !ok {
			t.Errorf("the page has a section about %s, which is no source", name)
		}
	}
	for name, f := range files {
		section := sections[name]
		if section == "" {
			t.Errorf("source %s has no section", name)
			continue
		}
		if len(spans(section[:strings.Index(section, "\n")])) > 1 {
			continue // one for several, which says what they have in common
		}
		for _, expression := range []string{f.Match, f.Cancelled, f.ID, f.Company} {
			if expression != "" && !slices.Contains(spans(section), expression) {
				t.Errorf("source %s: the section does not say %s", name, expression)
			}
		}
	}
}

func TestThePagesTableSaysHowEachSourceProvesItself(t *testing.T) {
	t.Parallel()
	files := shippedFiles(t)
	listed := make(map[string]bool)
	for _, row := range rows(t, readPage(t), "source") {
		for _, name := range spans(row[0]) {
			f, ok := files[name]
			if !ok {
				t.Errorf("the table has %s, which is no source", name)
				continue
			}
			listed[name] = true
			if got := spans(row[1]); !slices.Equal(got, kindsOf(t, f)) {
				t.Errorf("the table says that %s proves itself by %v, its file %v", name, got, kindsOf(t, f))
			}
		}
	}
	for name := range files {
		if !listed[name] {
			t.Errorf("source %s is not in the table", name)
		}
	}
}

func kindsOf(t *testing.T, f file) (kinds []string) {
	t.Helper()
	if f.Auth == nil {
		return nil // it doesn't come by HTTP
	}
	for _, auth := range listOf(f.Auth) {
		var one struct{ Kind string }
		if err := json.Unmarshal(auth, &one); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, one.Kind)
	}
	return kinds
}

func TestThePageNamesOnlyWhatThereIs(t *testing.T) {
	t.Parallel()
	text, files := readPage(t), shippedFiles(t)
	for _, named := range []*regexp.Regexp{route, secret, sourceOf} {
		matches := named.FindAllStringSubmatch(text, -1)
		if len(matches) == 0 {
			t.Errorf("nothing on the page fits %s", named)
		}
		for _, match := range matches {
			if _, ok := files[match[1]]; !ok && match[1] != example {
				t.Errorf("%q: there is no such source", match[0])
			}
		}
	}
	schema := readSchema(t)
	for head, path := range map[string]string{"field of the file": "properties", "kind of `auth`": "$defs.auth.properties.kind.enum"} {
		want := namesIn(dig(schema, path))
		var got []string
		for _, row := range rows(t, text, head) {
			got = append(got, spans(row[0])...)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("the table %q has %v, the schema %v", head, got, want)
		}
	}
}

// namesIn are an object's keys, or a list's texts, sorted.
func namesIn(value any) (names []string) {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			names = append(names, name)
		}
	case []any:
		for _, name := range v {
			names = append(names, name.(string))
		}
	}
	slices.Sort(names)
	return names
}

// Overrides that the page shows work.
func TestThePagesOverridesAreTaken(t *testing.T) {
	t.Parallel()
	shown := 0
	text := readPage(t)
	for _, candidate := range slices.Concat(spans(text), blocks(text, "")) {
		var overrides map[string]map[string]string
		if json.Unmarshal([]byte(candidate), &overrides) != nil {
			continue
		}
		shown++
		if _, err := Load(candidate); err != nil {
			t.Errorf("%s: %v", candidate, err)
		}
	}
	if shown == 0 {
		t.Error("the page shows no overrides")
	}
}

// blocks are the fenced ones with that label.
func blocks(text, label string) (found []string) {
	for _, match := range fenced.FindAllStringSubmatch(text, -1) {
		if match[1] == label {
			found = append(found, match[2])
		}
	}
	return found
}

// The source that the page adds is one, and makes of its sample what the page
// says.
func TestThePagesExampleWorks(t *testing.T) {
	t.Parallel()
	text := readPage(t)
	files, samples := blocks(text, "source"), blocks(text, "sample")
	if len(files) != 1 || len(samples) != 1 {
		t.Fatalf("the page has %d files and %d samples", len(files), len(samples))
	}
	set, err := load(dir(map[string]string{example + ".json": files[0]}), "")
	if err != nil {
		t.Fatal(err)
	}
	source, _ := set.Source(example)
	events, err := source.Read("application/json", []byte(samples[0]))
	if err != nil || len(events) != 1 || events[0].Fault != nil {
		t.Fatalf("%+v, %v", events, err)
	}
	says := "`signup_id " + events[0].Signup.ID + `, company "` + events[0].Signup.Company + "\"`"
	if !strings.Contains(text, says) {
		t.Errorf("the page does not say %s", says)
	}
}

// The links within the page lead somewhere.
func TestThePagesLinksLeadToItsSections(t *testing.T) {
	t.Parallel()
	text := readPage(t)
	anchors := make(map[string]bool)
	for _, line := range heading.FindAllString(text, -1) {
		title := strings.ToLower(strings.TrimLeft(line, "# "))
		anchors[strings.ReplaceAll(regexp.MustCompile("[`(),:]").ReplaceAllString(title, ""), " ", "-")] = true
	}
	links := regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(text, -1)
	if len(links) == 0 {
		t.Error("the page has no links to itself")
	}
	for _, link := range links {
		if !anchors[link[1]] {
			t.Errorf("#%s is no section", link[1])
		}
	}
}
