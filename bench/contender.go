package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

// contender is one way to do the job.
type contender struct {
	name    string
	program string
	args    []string
	env     map[string]string
	shipped []string // files and folders that go into its zip
	zip     int64    // bytes
	key     string   // of its table; empty for ours
	echoes  bool     // does nothing, so nothing is expected of it

	bundle string // variable that names the bundle of authorities to this one's AWS client; empty where it uses the system's
}

// The contenders' names, in the order of the tables.
const (
	nameOurs       = "trunkhook"
	nameNaive      = "naive Go"
	namePython     = "Powertools Python"
	nameSource     = "Powertools Python, no .pyc"
	nameTypeScript = "Powertools TypeScript"
	nameEcho       = "echo, Go"
)

// buildFlags are those of the Makefile, by which our functions are deployed.
var buildFlags = []string{"-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w"}

// contenders builds those whose parts are installed below dir; missing says which
// aren't.
func contenders(ctx context.Context, dir string) (all []contender, missing, err error) {
	if all, err = goContenders(ctx, dir); err != nil {
		return nil, nil, err
	}
	for _, find := range []func(context.Context, string) ([]contender, error){pythonContenders, nodeContender} {
		found, err := find(ctx, dir)
		missing = errors.Join(missing, err)
		all = append(all, found...)
	}
	for i := range all {
		if all[i].zip, err = zipped(all[i].shipped); err != nil {
			return nil, nil, err
		}
	}
	return all, missing, nil
}

func goContenders(ctx context.Context, dir string) ([]contender, error) {
	var all []contender
	for _, c := range []struct {
		contender
		folder string
		flags  []string
	}{
		// With the environment that the template sets.
		{contender{name: nameOurs, env: map[string]string{"SSL_CERT_DIR": "/none"}}, "./cmd/webhook", buildFlags},
		{contender{name: nameNaive, key: "signup_id"}, "./bench/peers/naive", []string{"-buildvcs=false"}},
		{contender{name: nameEcho, echoes: true, key: "signup_id"}, "./bench/peers/echo", buildFlags},
	} {
		c.program = filepath.Join(dir, filepath.Base(c.folder), "bootstrap")
		if err := buildGo(ctx, c.folder, c.program, c.flags...); err != nil {
			return nil, err
		}
		c.shipped = []string{c.program}
		all = append(all, c.contender)
	}
	return all, nil
}

func buildGo(ctx context.Context, folder, program string, flags ...string) error {
	return buildFor(ctx, runtime.GOARCH, folder, program, flags...)
}

func buildFor(ctx context.Context, architecture, folder, program string, flags ...string) error {
	command := exec.CommandContext(ctx, "go", append(append([]string{"build"}, flags...), "-o", program, folder)...)
	command.Dir = dynamotest.Root()
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+architecture)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", folder, err, output)
	}
	return nil
}

// pythonContenders are two: with everything compiled, and with the package as sam
// build leaves it, which Lambda can't write .pyc files beside. boto3 is the runtime's
// and compiled in both.
func pythonContenders(ctx context.Context, dir string) ([]contender, error) {
	python := filepath.Join(dir, "venv", "bin", "python")
	lambdas := filepath.Join(dir, "python-runtime")
	for _, needed := range []string{python, lambdas, filepath.Join(dir, "python"), filepath.Join(dir, "python-source")} {
		if _, err := os.Stat(needed); err != nil {
			return nil, fmt.Errorf("%s (make bench-peers installs it): %w", namePython, err)
		}
	}
	var all []contender
	for _, variant := range [][2]string{{namePython, "python"}, {nameSource, "python-source"}} {
		name, folder := variant[0], filepath.Join(dir, variant[1])
		if err := copyFile("bench/peers/python/app.py", filepath.Join(folder, "app.py")); err != nil {
			return nil, err
		}
		all = append(all, contender{
			name: name, key: "id", bundle: "AWS_CA_BUNDLE", program: python, args: []string{"-m", "awslambdaric", "app.handler"}, shipped: []string{folder},
			env: map[string]string{"PYTHONPATH": folder + ":" + lambdas, "PYTHONDONTWRITEBYTECODE": "1", "LAMBDA_TASK_ROOT": folder},
		})
	}
	compile := exec.CommandContext(ctx, python, "-m", "compileall", "-q", filepath.Join(dir, "python", "app.py"))
	if output, err := compile.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compileall: %w\n%s", err, output)
	}
	return all, nil
}

func nodeContender(ctx context.Context, dir string) ([]contender, error) {
	dir = filepath.Join(dir, "typescript")
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nameTypeScript, err)
	}
	esbuild := filepath.Join(dir, "node_modules", ".bin", "esbuild")
	if _, err := os.Stat(esbuild); err != nil {
		return nil, fmt.Errorf("%s (make bench-peers installs it): %w", nameTypeScript, err)
	}
	for _, file := range []string{"app.ts", "runtime.mjs"} {
		if err := copyFile("bench/peers/typescript/"+file, filepath.Join(dir, file)); err != nil {
			return nil, err
		}
	}
	bundle := exec.CommandContext(ctx, esbuild, "app.ts", "--bundle", "--minify", "--platform=node", "--target=es2022",
		"--format=cjs", "--log-level=warning", "--outfile=dist/app.cjs")
	bundle.Dir = dir
	if output, err := bundle.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("esbuild: %w\n%s", err, output)
	}
	app := filepath.Join(dir, "dist", "app.cjs")
	return []contender{{name: nameTypeScript, key: "id", program: node, args: []string{filepath.Join(dir, "runtime.mjs"), app}, shipped: []string{app}}}, nil
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(filepath.Join(dynamotest.Root(), from))
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}

// zipped is how many bytes a zip of these has.
func zipped(paths []string) (int64, error) {
	var size counter
	archive := zip.NewWriter(&size)
	for _, path := range paths {
		err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(file, ".pyc") { // sam build ships none
				return err
			}
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			w, err := archive.Create(file)
			if err != nil {
				return err
			}
			_, err = w.Write(content)
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	err := archive.Close()
	return int64(size), err
}

// sizeOf is how large a program is, and a zip of it.
func sizeOf(program string) (plain, zip int64, err error) {
	info, err := os.Stat(program)
	if err != nil {
		return 0, 0, err
	}
	zip, err = zipped([]string{program})
	return info.Size(), zip, err
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// start runs the contender's process against the doors.
func (c contender) start(d *doors, table, output string, trust *authority) (*lambdatest.Process, error) {
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_EXECUTION_ENV": "AWS_Lambda",
		"AWS_ENDPOINT_URL_DYNAMODB": d.dynamoDB, "AWS_ENDPOINT_URL_SECRETS_MANAGER": d.secrets, "EXOTEL_BASE_URL": d.exotel,
		"TABLE": table, "SIGNUPS_TABLE": table, "EXOTEL_SECRET_ID": exotelSecret, "SOURCES_SECRET_ID": sourcesSecret,
		"EXOTEL_CALLS_PER_MINUTE": "100000", // asked for each call all the same
	}
	if trust != nil {
		maps.Copy(env, trust.env())
		if c.bundle != "" {
			env[c.bundle] = trust.bundle
		}
	}
	maps.Copy(env, c.env)
	p, err := lambdatest.Command{Program: c.program, Args: c.args, Env: env, Output: output}.Launch()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s can't be started", c.name), err)
	}
	return p, nil
}

// env makes each runtime trust the authority, at the cost of reading all that the
// system trusts. Go reads a file and, after it, its folders: on Amazon Linux 2023
// /etc/ssl/certs is a link to /etc/pki/tls/certs, so both show the same bundle.
// boto3 brings a bundle of its own, and Node has one built in.
func (a authority) env() map[string]string {
	return map[string]string{
		"SSL_CERT_FILE": a.bundle, "SSL_CERT_DIR": a.dir + ":" + a.dir,
		"NODE_EXTRA_CA_CERTS": a.own,
	}
}
