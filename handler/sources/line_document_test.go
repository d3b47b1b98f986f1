package sources

import (
	"strings"
	"testing"
)

// The page says of each source where its line is, by names that its file has.
func TestThePageSaysWhereLinesAre(t *testing.T) {
	t.Parallel()
	files := shippedFiles(t)
	listed := make(map[string]bool)
	for _, row := range rows(t, readPage(t), "source with a line") {
		for _, name := range spans(row[0]) {
			listed[name] = true
			f := files[name]
			for i, expression := range []string{f.PhoneNumbers, f.WhitelistedIPs, f.Destinations, f.Credentials, f.CallerID} {
				named := spans(row[1+i])
				if (len(named) == 0) != (expression == "") {
					t.Errorf("%s: the page has %q, the file %q", name, named, expression)
				}
				for _, field := range named {
					if !strings.Contains(expression, field) {
						t.Errorf("%s: the page has %q, the file %q", name, field, expression)
					}
				}
			}
		}
	}
	for name, f := range files {
		if has := f.PhoneNumbers+f.WhitelistedIPs+f.Destinations+f.Credentials+f.CallerID != ""; has != listed[name] {
			t.Errorf("%s has a line: %t; the page says: %t", name, has, listed[name])
		}
	}
}
