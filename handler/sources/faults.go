package sources

import "strings"

// faults are what is wrong with files and overrides: an error of one line.
type faults []string

func (f *faults) add(source, field, detail string) {
	var where string
	if source != "" {
		where = "source " + source + ": "
	}
	if field != "" {
		where += field + " "
	}
	*f = append(*f, where+detail)
}

func (f faults) Error() string { return "sources: " + strings.Join(f, "; ") }
