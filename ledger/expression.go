package ledger

import "strings"

// expression is a conditional update that is always the same, with the aliases
// that it uses.
type expression struct {
	update, condition string
	names             map[string]string
}

func newExpression(update, condition string) expression {
	return expression{update, condition, namesIn(update, condition)}
}

// namesIn are what the aliases of expressions stand for: # and the name. DynamoDB
// wants those that are used, and no others.
func namesIn(expressions ...string) map[string]string {
	names := make(map[string]string, 24) // a claim has 15
	for _, rest := range expressions {
		for at := strings.IndexByte(rest, '#'); at >= 0; at = strings.IndexByte(rest, '#') {
			alias := rest[at:]
			rest = rest[at+1:]
			if end := strings.IndexFunc(rest, notInAlias); end >= 0 {
				alias = alias[:1+end]
			}
			names[alias] = alias[1:]
		}
	}
	return names
}

func notInAlias(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }
