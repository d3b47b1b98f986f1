package passwords_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/trunkhook/trunkhook/internal/awsconfig"
	"github.com/trunkhook/trunkhook/internal/canary"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
	"github.com/trunkhook/trunkhook/internal/passwords"
	"github.com/trunkhook/trunkhook/provision"
)

const (
	trunk = "th_abcdefghij12"
	user  = "alice.bob-1"
)

// stores are both kinds, empty, and where each keeps the password of the tests' user.
func stores(t *testing.T) map[string]func(t *testing.T) (store provision.Passwords, at string) {
	t.Helper()
	return map[string]func(t *testing.T) (provision.Passwords, string){
		"Parameter Store": func(t *testing.T) (provision.Passwords, string) {
			t.Helper()
			return passwords.NewParameterStore(client(t, lambdatest.StartSystemsManager(t).URL), "/trunkhook"), "/trunkhook/" + trunk + "/" + user
		},
		"files": func(t *testing.T) (provision.Passwords, string) {
			t.Helper()
			folder := filepath.Join(t.TempDir(), "not", "there")
			return passwords.NewFiles(folder), filepath.Join(folder, trunk+"-"+user)
		},
	}
}

func client(t *testing.T, url string) passwords.API {
	t.Helper()
	c, err := awsconfig.FromEnv(func(name string) string {
		return map[string]string{"AWS_REGION": "ap-south-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL_SSM": url}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.SSM
}

func TestFirstPasswordIsKeptForGood(t *testing.T) {
	t.Parallel()
	for name, empty := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, want := empty(t)
			for _, offered := range []string{"first", "second"} {
				kept, at, err := store.Keep(t.Context(), trunk, user, offered)
				if kept != "first" || at != want || err != nil {
					t.Errorf("kept %q at %s, want it at %s; %v", kept, at, want, err)
				}
			}
			if kept, _, err := store.Keep(t.Context(), trunk, "carol", "third"); kept != "third" || err != nil {
				t.Errorf("another user has %q, %v", kept, err)
			}
			if kept, _, err := store.Keep(t.Context(), "th_another", user, "fourth"); kept != "fourth" || err != nil {
				t.Errorf("the same user of another trunk has %q, %v", kept, err)
			}
		})
	}
}

func TestAllWhoComeAtOnceGetOnePassword(t *testing.T) {
	t.Parallel()
	for name, empty := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, _ := empty(t)
			var mu sync.Mutex
			kept := map[string]int{}
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					password, _, err := store.Keep(t.Context(), trunk, user, rand.Text())
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					kept[password]++
				})
			}
			all.Wait()
			if len(kept) != 1 {
				t.Errorf("kept %v", kept)
			}
		})
	}
}

func TestParameterIsASecureStringOfThatName(t *testing.T) {
	t.Parallel()
	fake := lambdatest.StartSystemsManager(t)
	store := passwords.NewParameterStore(client(t, fake.URL), "/trunkhook/prod")
	if _, _, err := store.Keep(t.Context(), trunk, user, "first"); err != nil {
		t.Fatal(err)
	}
	if got := fake.Parameters()["/trunkhook/prod/"+trunk+"/"+user]; got != (lambdatest.Parameter{Type: "SecureString", Value: "first", Version: 1}) {
		t.Errorf("stored %+v", fake.Parameters())
	}
	if n := fake.Count("GetParameter"); n != 0 {
		t.Errorf("a new password was read %d times", n)
	}
}

// The parameter was stored, and the answer to that lost: the client sends it again,
// and is told that there is one.
func TestLostAnswerKeepsThePassword(t *testing.T) {
	t.Parallel()
	fake := lambdatest.StartSystemsManager(t)
	proxy := lambdatest.StartProxy(t, fake.URL, lambdatest.Operation)
	proxy.Inject("PutParameter", lambdatest.LoseAnswer)
	proxy.Inject("GetParameter", lambdatest.LoseAnswer)
	store := passwords.NewParameterStore(client(t, proxy.URL), "/trunkhook")
	kept, at, err := store.Keep(t.Context(), trunk, user, "first")
	if kept != "first" || err != nil || fake.Parameters()[at].Value != "first" || fake.Parameters()[at].Version != 1 {
		t.Errorf("kept %q, %v; stored %+v", kept, err, fake.Parameters())
	}
	if puts, gets := fake.Count("PutParameter"), fake.Count("GetParameter"); puts != 2 || gets != 2 {
		t.Errorf("%d puts, %d gets", puts, gets)
	}
}

// Without a password on disk there is none to be sent.
func TestNoPasswordWhereItIsNotKept(t *testing.T) {
	t.Parallel()
	password := rand.Text()
	watch := canary.For(map[string]string{"password": password})
	at := "/trunkhook/" + trunk + "/" + user
	denied := func(message string) lambdatest.Fault {
		return lambdatest.Respond(400, fmt.Sprintf(`{"__type":"AccessDeniedException","Message":%q}`, message))
	}
	for name, test := range map[string]struct {
		prepare func(fake *lambdatest.SystemsManager, proxy *lambdatest.Proxy)
		want    string
	}{
		"the service is down": {
			func(fake *lambdatest.SystemsManager, _ *lambdatest.Proxy) { fake.SetDown(true) }, "HTTP 500 InternalServerError",
		},
		"nobody may write": {
			func(_ *lambdatest.SystemsManager, proxy *lambdatest.Proxy) {
				proxy.Inject("PutParameter", denied("not authorized to put "+password))
			}, "HTTP 400 AccessDeniedException",
		},
		"nobody may read": {
			func(fake *lambdatest.SystemsManager, proxy *lambdatest.Proxy) {
				fake.Set(at, password)
				proxy.Inject("GetParameter", denied("not authorized to read "+password))
			}, "HTTP 400 AccessDeniedException",
		},
		"it was deleted meanwhile": {
			func(fake *lambdatest.SystemsManager, proxy *lambdatest.Proxy) {
				fake.Set(at, password)
				proxy.Inject("GetParameter", lambdatest.Respond(400, `{"__type":"ParameterNotFound"}`))
			}, "HTTP 400 ParameterNotFound",
		},
		"it is empty": {
			func(fake *lambdatest.SystemsManager, _ *lambdatest.Proxy) { fake.Set(at, "") }, "is empty",
		},
		"what is read has another form": {
			func(fake *lambdatest.SystemsManager, proxy *lambdatest.Proxy) {
				fake.Set(at, password)
				proxy.Inject("GetParameter", lambdatest.Respond(200, `{"Parameter":{"Value":["`+password+`"]}}`))
			}, "the answer can't be read",
		},
		"nothing is read": {
			func(fake *lambdatest.SystemsManager, proxy *lambdatest.Proxy) {
				fake.Set(at, password)
				proxy.Inject("GetParameter", lambdatest.Respond(200, `{}`))
			}, "is empty",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := lambdatest.StartSystemsManager(t)
			proxy := lambdatest.StartProxy(t, fake.URL, lambdatest.Operation)
			test.prepare(fake, proxy)
			kept, _, err := passwords.NewParameterStore(client(t, proxy.URL), "/trunkhook").Keep(t.Context(), trunk, user, password)
			if err == nil || kept != "" || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), at) {
				t.Fatalf("kept %q, %v", kept, err)
			}
			if found := watch.In(err.Error()); len(found) > 0 {
				t.Errorf("the error holds the %v", found)
			}
		})
	}
}

func TestFilesAreTheirOwnersOnly(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "passwords")
	_, at, err := passwords.NewFiles(folder).Keep(t.Context(), trunk, user, "first")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{folder: 0o700, at: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}

// A user's name can't lead out of the folder: it has no slash, and the trunk's name
// stands in front of it.
func TestFilesStayInTheirFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"..", ".", "-", "a.b"} {
		_, at, err := passwords.NewFiles(folder).Keep(t.Context(), trunk, name, "first")
		if err != nil || filepath.Dir(at) != folder {
			t.Errorf("%s is kept at %s, %v", name, at, err)
		}
	}
}

func TestNoPasswordWhereThereIsNoFile(t *testing.T) {
	t.Parallel()
	password := rand.Text()
	watch := canary.For(map[string]string{"password": password})
	inTheWay := filepath.Join(t.TempDir(), "file")
	empty := t.TempDir()
	for name, content := range map[string]string{inTheWay: "x", filepath.Join(empty, trunk+"-"+user): ""} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, folder := range map[string]string{"a file is in the way": filepath.Join(inTheWay, "passwords"), "the file is empty": empty} {
		kept, _, err := passwords.NewFiles(folder).Keep(t.Context(), trunk, user, password)
		if err == nil || kept != "" {
			t.Errorf("%s: kept %q, %v", name, kept, err)
		} else if found := watch.In(err.Error()); len(found) > 0 {
			t.Errorf("%s: the error holds the %v", name, found)
		}
	}
}
