package dashboard

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
)

const runbook = "https://github.com/trunkhook/trunkhook/blob/main/docs/operations.md"

func document(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dynamotest.Root(), "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

var (
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	unlinked = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// anchors are those that GitHub gives the document's headings: lower case, without
// punctuation, with hyphens for spaces.
func anchors(document string) (found []string) {
	for _, h := range heading.FindAllStringSubmatch(document, -1) {
		found = append(found, strings.ReplaceAll(unlinked.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
	}
	return found
}

func TestHeadingsHaveTheAnchorsThatGitHubGivesThem(t *testing.T) {
	t.Parallel()
	got := anchors("# Operating trunkhook\n\n### PendingAlarm\n## What `audit` costs, and when\n")
	if want := []string{"operating-trunkhook", "pendingalarm", "what-audit-costs-and-when"}; !slices.Equal(got, want) {
		t.Errorf("the anchors are %v, want %v", got, want)
	}
}

func TestEveryAlarmLinksToItsOwnSectionOfTheRunbook(t *testing.T) {
	t.Parallel()
	_, alarms := parts(t)
	if len(alarms) < 16 {
		t.Errorf("there are only %d alarms", len(alarms))
	}
	known := anchors(document(t))
	for _, alarm := range alarms {
		text, link, _ := strings.Cut(alarm.AlarmDescription, " https://")
		if want := runbook + "#" + strings.ToLower(alarm.Name); "https://"+link != want {
			t.Errorf("%s ends with %q, want %s", alarm.Name, link, want)
		}
		if text == "" || len(alarm.AlarmDescription) > 1024 { // CloudWatch's limit
			t.Errorf("%s says %q", alarm.Name, alarm.AlarmDescription)
		}
		if !slices.Contains(known, strings.ToLower(alarm.Name)) {
			t.Errorf("docs/operations.md has no section %s", alarm.Name)
		}
	}
}

func TestEverySectionOfAnAlarmSaysWhatItMeansHowToLookAndWhatToDo(t *testing.T) {
	t.Parallel()
	_, alarms := parts(t)
	for _, alarm := range alarms {
		text := section(t, alarm.Name)
		for _, part := range []string{"eans**", "ook**", "o**"} { // "**Look**:", or "**Look** and **do**:"
			if !strings.Contains(text, part) {
				t.Errorf("the section %s lacks %s", alarm.Name, part)
			}
		}
	}
}

// Links within the document, and those from the dashboard, which nobody follows
// before there is trouble.
func TestNoLinkIntoTheRunbookIsDead(t *testing.T) {
	t.Parallel()
	d, _ := parts(t)
	text := document(t)
	for _, w := range d.Widgets {
		text += strings.ReplaceAll(w.Properties.Markdown, runbook, "")
	}
	known := anchors(document(t))
	links := regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(text, -1)
	if len(links) < 5 {
		t.Errorf("there are only %d links", len(links))
	}
	for _, link := range links {
		if !slices.Contains(known, link[1]) {
			t.Errorf("#%s is no heading", link[1])
		}
	}
}

func TestTheRunbookHasARowForEveryAlarmThatALogLineCanHave(t *testing.T) {
	t.Parallel()
	values := loggedAlarms(t)
	if len(values) < 13 || !slices.Contains(values, "credentials_refused") || !slices.Contains(values, "not_taken") {
		t.Fatalf("the code has %v", values)
	}
	var rows []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(section(t, "OperatorAlarm"), -1) {
		rows = append(rows, row[1])
	}
	slices.Sort(rows)
	if !slices.Equal(rows, values) {
		t.Errorf("the runbook has %v\nthe code has    %v", rows, values)
	}
}

func section(t *testing.T, name string) string {
	t.Helper()
	_, section, found := strings.Cut(document(t), "\n### "+name+"\n")
	if !found {
		t.Fatalf("there is no section %s", name)
	}
	section, _, _ = strings.Cut(section, "\n### ")
	return section
}

// loggedAlarms are the constants of the code that are called Alarm... or alarm...
func loggedAlarms(t *testing.T) (values []string) {
	t.Helper()
	root := dynamotest.Root()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != root:
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		values = append(values, constants(t, file, "alarm")...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(values)
	return values
}

// constants are the values of a file's texts whose names begin so, in whatever case.
func constants(t *testing.T, file *ast.File, beginning string) (values []string) {
	t.Helper()
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			constant := spec.(*ast.ValueSpec)
			name := strings.ToLower(constant.Names[0].Name)
			if len(constant.Values) != 1 || !strings.HasPrefix(name, beginning) {
				continue
			}
			literal, ok := constant.Values[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s is no literal", constant.Names[0].Name)
				continue
			}
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
	}
	return values
}
