package handler

import (
	"context"
	"net/http"

	"github.com/trunkhook/trunkhook/provision"
)

// sourceUser is the source of signups that users make for themselves, in a browser
// behind Cognito, Auth0 or another issuer of tokens.
const sourceUser = "jwt"

// me answers /me/signup, a route that API Gateway lets only bearers of a valid token
// through to. Whose token it is comes from its authorizer, never from the request;
// without an authorizer the route isn't there.
func (h *Handler) me(ctx context.Context, r *request) response {
	r.entry.source = sourceUser
	user, ok := r.subject()
	if !ok {
		return notFound()
	}
	id := sourceUser + ":" + user
	if !provision.ValidSignupID(id) {
		return r.refuse(&provision.InvalidError{Faults: []provision.Fault{{Field: "sub", Detail: "of the token can't be part of a signup_id"}}})
	}
	r.entry.setSignupID(id)
	r.location = "/me/signup"
	switch r.method {
	case http.MethodGet:
		return h.show(ctx, r, id)
	case http.MethodPost:
		return h.signUpUser(ctx, r, id)
	}
	return notAllowed("GET, POST")
}

// signUpUser takes the company from the body and the id from the token, whatever
// the body says.
func (h *Handler) signUpUser(ctx context.Context, r *request, id string) response {
	if refusal := r.readBody(); refusal != nil {
		return refusal.response()
	}
	if !r.isJSON() {
		return notJSON().response()
	}
	signup, err := parseCompany(r.body)
	if err != nil {
		return r.refuse(err)
	}
	signup.ID, signup.Source = id, sourceUser
	return h.provision(ctx, r, signup)
}

// subject is the token's, as API Gateway's JWT authorizer checked it.
func (r *request) subject() (string, bool) {
	authorizer := r.event.RequestContext.Authorizer
	if authorizer == nil || authorizer.JWT == nil {
		return "", false
	}
	sub := authorizer.JWT.Claims["sub"]
	return sub, sub != ""
}
