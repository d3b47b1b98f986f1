package handler_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// secretName is what a variable is called that holds a secret, or what is made of
// one or compared with one.
var secretName = regexp.MustCompile(`(?i)(secret|token|signature|password|passwd|credential|bearer|hmac|mac|digest|sum|sent|known|want|expected|computed|given|key)s?$`)

// leaky are functions whose time tells how much of two texts is the same.
var leaky = []string{
	"bytes.Equal", "bytes.Compare", "bytes.EqualFold", "bytes.HasPrefix", "bytes.Contains", "strings.EqualFold", "strings.Compare", "strings.Contains",
	"slices.Equal", "slices.Compare", "slices.Contains", "slices.Index", "reflect.DeepEqual", "maps.Equal", "cmp.Compare",
}

// leakyCompares finds comparisons of what is called a secret with something else
// than a constant, in a file that has to do with secrets: one that makes or compares
// MACs.
func leakyCompares(t *testing.T, name string, source any) (found []string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool {
		return i.Path.Value == `"crypto/hmac"` || i.Path.Value == `"crypto/subtle"`
	}) {
		return nil
	}
	ast.Inspect(file, func(node ast.Node) bool {
		var operands []ast.Expr
		switch node := node.(type) {
		case *ast.BinaryExpr:
			if node.Op == token.EQL || node.Op == token.NEQ {
				operands = []ast.Expr{node.X, node.Y}
			}
		case *ast.CallExpr:
			if slices.Contains(leaky, dotted(node.Fun)) {
				operands = node.Args
			}
		case *ast.SwitchStmt:
			if node.Tag != nil && isSecret(node.Tag) {
				found = append(found, files.Position(node.Pos()).String())
			}
		case *ast.IndexExpr: // a map's look-up compares its key
			if isSecret(node.Index) {
				found = append(found, files.Position(node.Pos()).String())
			}
		}
		if slices.ContainsFunc(operands, isSecret) && !slices.ContainsFunc(operands, isConstant) {
			found = append(found, files.Position(node.Pos()).String())
		}
		return true
	})
	return found
}

// isSecret tells by the name, through slices, fields, conversions and calls of
// methods. A length is none.
func isSecret(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return secretName.MatchString(e.Name)
	case *ast.SelectorExpr:
		return secretName.MatchString(e.Sel.Name)
	case *ast.SliceExpr:
		return isSecret(e.X)
	case *ast.IndexExpr:
		return isSecret(e.X)
	case *ast.ParenExpr:
		return isSecret(e.X)
	case *ast.CallExpr:
		if dotted(e.Fun) == "len" {
			return false
		}
		return isSecret(e.Fun) || slices.ContainsFunc(e.Args, isSecret)
	}
	return false
}

// isConstant: how a secret compares with what is in the source is no secret.
func isConstant(e ast.Expr) bool {
	if identifier, ok := e.(*ast.Ident); ok {
		return identifier.Name == "nil" || strings.HasSuffix(identifier.Name, "Prefix")
	}
	_, literal := e.(*ast.BasicLit)
	return literal
}

func dotted(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return dotted(e.X) + "." + e.Sel.Name
	}
	return ""
}

func TestSecretsAreComparedInConstantTime(t *testing.T) {
	t.Parallel()
	looked := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		looked++
		for _, place := range leakyCompares(t, path, nil) {
			t.Errorf("%s: a secret is compared in a time that depends on it; use crypto/subtle or hmac.Equal", place)
		}
		return nil
	})
	if err != nil || looked == 0 {
		t.Fatalf("%d files, %v", looked, err)
	}
}

// The test above must be able to fail.
func TestLeakyComparisonsAreSeen(t *testing.T) {
	t.Parallel()
	for expression, leaks := range map[string]bool{
		`secret == r.header.Get("Authorization")`: true,
		`sent != want`:                             true,
		`string(mac) == string(signature)`:         true,
		`bytes.Equal(mac, want)`:                   true,
		`strings.EqualFold(token, secrets[0])`:     true,
		`slices.Contains(secrets, token)`:          true,
		`reflect.DeepEqual(r.signature, wanted)`:   true,
		`byToken[token]`:                           true,
		`bytes.HasPrefix(signature, want[:8])`:     true,
		`hmac.Equal(mac, want)`:                    false,
		`secret == ""`:                             false,
		`key == nil`:                               false,
		`len(key) == 0`:                            false,
		`len(signature) == sha256.Size`:            false,
		`strings.EqualFold(scheme, "Bearer")`:      false,
		`strings.HasPrefix(secret, signingPrefix)`: false,
		`subtle.ConstantTimeCompare(a, b) == 1`:    false,
	} {
		source := "package p\nimport \"crypto/hmac\"\nvar _ = " + expression
		if found := leakyCompares(t, "p.go", source); (len(found) > 0) != leaks {
			t.Errorf("%s: %v", expression, found)
		}
	}
}
