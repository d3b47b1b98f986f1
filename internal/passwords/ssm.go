// Package passwords keeps the passwords of SIP credentials where they can be
// fetched by those who may: in AWS, the Parameter Store of Systems Manager; on one
// machine, files.
package passwords

import (
	"context"
	"errors"
	"fmt"

	"github.com/trunkhook/trunkhook/internal/awsconfig"
	"github.com/trunkhook/trunkhook/provision"
)

// API is what is needed of Systems Manager; *awsconfig.JSONService is it.
type API interface {
	Call(ctx context.Context, operation string, in, out any) error
}

// ParameterStore keeps each password as a SecureString of its own,
// <path>/<trunk_name>/<user_name>. It is a provision.Passwords.
type ParameterStore struct {
	api  API
	path string
}

var _ provision.Passwords = (*ParameterStore)(nil)

// NewParameterStore keeps passwords under a path, such as /trunkhook. It makes no call.
func NewParameterStore(api API, path string) *ParameterStore { return &ParameterStore{api, path} }

// Keep implements provision.Passwords. The parameter is never overwritten: of two
// who come at once, the second gets the first one's password. No error holds one.
func (s *ParameterStore) Keep(ctx context.Context, trunkName, userName, password string) (kept, at string, err error) {
	name := s.path + "/" + trunkName + "/" + userName
	err = s.api.Call(ctx, "PutParameter", map[string]any{
		"Name": name, "Value": password, "Type": "SecureString", "Overwrite": false,
		"Description": "Password of a SIP credential at Exotel. Written once, before the credential is made.",
	}, &struct{}{})
	var refused *awsconfig.ServiceError
	switch {
	case err == nil:
		return password, name, nil
	case !errors.As(err, &refused) || refused.Code != "ParameterAlreadyExists":
		return "", "", fmt.Errorf("parameter %s: %w", name, err)
	}
	var found struct{ Parameter struct{ Value string } }
	switch err := s.api.Call(ctx, "GetParameter", map[string]any{"Name": name, "WithDecryption": true}, &found); {
	case err != nil:
		return "", "", fmt.Errorf("parameter %s: %w", name, err)
	case found.Parameter.Value == "":
		return "", "", fmt.Errorf("parameter %s is empty", name)
	}
	return found.Parameter.Value, name, nil
}
