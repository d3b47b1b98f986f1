package exotel

import (
	"slices"
	"testing"
)

// What a hook is told of a call is where it went below the account, and nothing of its query.
func TestHooksAreToldThePath(t *testing.T) {
	t.Parallel()
	var paths []string
	ctx := WithHooks(t.Context(), Hooks{After: func(c Call) { paths = append(paths, c.Method+" "+c.Path) }})
	client := leaking(t, 200, nil, `{"http_code":200,"response":[]}`)
	_, _ = client.Trunks.List(ctx, ListOptions{})
	_, _ = client.Trunks.Delete(ctx, "trmum1a")
	_, _ = client.PhoneNumbers.Map(ctx, "trmum1a", MapPhoneNumberRequest{PhoneNumber: "+912247788868"})
	if want := []string{"GET /trunks", "DELETE /trunks", "POST /trunks/trmum1a/phone-numbers"}; !slices.Equal(paths, want) {
		t.Errorf("got %q, want %q", paths, want)
	}
}
