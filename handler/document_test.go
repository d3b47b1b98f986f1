package handler_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// document is docs/openapi.yaml, ready to check exchanges against.
type document struct {
	*openapi3.T
	router routers.Router
}

func openDocument(t *testing.T) document {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation(), openapi3.EnableSchemaPatternValidation()); err != nil {
		t.Fatal(err)
	}
	doc.Servers = nil // wherever it runs
	// Clients must put up with fields that they don't know. The handler must not
	// answer any that its document doesn't know.
	for name, schema := range doc.Components.Schemas {
		if !slices.Contains([]string{"SignupRequest", "SignupEvent", "NewSignup", "MySignupRequest", "MyNewSignup"}, name) && schema.Value.Type.Is("object") {
			schema.Value.AdditionalProperties.Has = new(bool)
		}
	}
	openapi3filter.RegisterBodyDecoder("text/xml", openapi3filter.PlainBodyDecoder)
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return document{doc, router}
}

// answers are all that are documented, each as "METHOD /path status".
func (d document) answers() (all []string) {
	for path, item := range d.Paths.Map() {
		for method, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				all = append(all, method+" "+path+" "+status)
			}
		}
	}
	slices.Sort(all)
	return all
}

// check says which documented answer an exchange shows, and what is wrong with it.
func (d document) check(t *testing.T, x exchange) (where string, err error) {
	t.Helper()
	route, parameters, err := d.find(x)
	if err != nil {
		if x.answer.Status == http.StatusNotFound {
			return "", nil // neither the document nor the handler knows the path
		}
		return "", fmt.Errorf("the path is not documented: %w", err)
	}
	where = fmt.Sprintf("%s %s %d", route.Method, route.Path, x.answer.Status)
	response := route.Operation.Responses.Status(x.answer.Status)
	if response == nil {
		return where, fmt.Errorf("%s is not documented", where)
	}
	input := requestInput(x.event, route, parameters)
	return where, errors.Join(
		checkRequest(t, x, input),
		checkHeaders(x, response.Value, route.PathItem),
		checkAnswer(t, x, input),
	)
}

// find returns the operation of a request. One with a method that its path doesn't
// have is any of that path's: they all document what it is answered.
func (d document) find(x exchange) (*routers.Route, map[string]string, error) {
	r := httpRequest(x.event)
	route, parameters, err := d.router.FindRoute(r)
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		if err != nil && x.answer.Status == http.StatusMethodNotAllowed {
			r.Method = method
			route, parameters, err = d.router.FindRoute(r)
		}
	}
	return route, parameters, err
}

func httpRequest(event events.APIGatewayV2HTTPRequest) *http.Request {
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		if decoded, err := base64.StdEncoding.DecodeString(event.Body); err == nil {
			body = decoded
		}
	}
	r := httptest.NewRequest(event.RequestContext.HTTP.Method, event.RawPath+"?"+event.RawQueryString, bytes.NewReader(body))
	for name, value := range event.Headers {
		r.Header.Set(name, value)
	}
	return r
}

func requestInput(event events.APIGatewayV2HTTPRequest, route *routers.Route, parameters map[string]string) *openapi3filter.RequestValidationInput {
	return &openapi3filter.RequestValidationInput{
		Request: httpRequest(event), Route: route, PathParams: parameters,
		Options: &openapi3filter.Options{
			AuthenticationFunc: brought,
			// What a CRM sends is between it and its source's file.
			ExcludeRequestBody: strings.HasPrefix(route.Path, "/webhooks/"),
		},
	}
}

// checkRequest: what was answered as right must be right by the document, and what
// was answered as wrong, wrong.
func checkRequest(t *testing.T, x exchange, input *openapi3filter.RequestValidationInput) error {
	t.Helper()
	err := openapi3filter.ValidateRequest(t.Context(), input)
	if input.Request.Method != input.Route.Method {
		err = errors.New("another method")
	}
	fault := err != nil
	switch x.answer.Status {
	case http.StatusNotFound, http.StatusRequestEntityTooLarge:
		return nil // what is there, and bytes, are nothing that the document knows
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		if _, known := fineButRefused[x.name]; fault == known && !input.Options.ExcludeRequestBody {
			return fmt.Errorf("answered %d, and the document says of the request: %w", x.answer.Status, orRight(err))
		}
		return nil
	case http.StatusUnauthorized: // credentials that are wrong, or none
		var security *openapi3filter.SecurityRequirementsError
		if errors.As(err, &security) {
			return nil
		}
	}
	return err
}

// orRight is for messages.
func orRight(err error) error {
	if err == nil {
		return errors.New("it is right")
	}
	return err
}

// brought tells whether a request has credentials where the document wants them.
func brought(_ context.Context, input *openapi3filter.AuthenticationInput) error {
	name, prefix := input.SecurityScheme.Name, ""
	if input.SecurityScheme.Type == "http" {
		name, prefix = "Authorization", input.SecurityScheme.Scheme+" "
	}
	value := input.RequestValidationInput.Request.Header.Get(name)
	if value == "" || !strings.HasPrefix(strings.ToLower(value), prefix) {
		return fmt.Errorf("no %s", name)
	}
	return nil
}

// checkHeaders: none that isn't documented, and Allow as the document has it.
func checkHeaders(x exchange, response *openapi3.Response, path *openapi3.PathItem) error {
	var faults []error
	for name := range x.answer.Headers {
		if name != "Content-Type" && response.Headers[name] == nil {
			faults = append(faults, fmt.Errorf("the header %s is not documented", name))
		}
	}
	if allow := x.answer.Headers["Allow"]; x.answer.Status == http.StatusMethodNotAllowed {
		said := strings.Split(allow, ", ")
		slices.Sort(said)
		methods := maps.Clone(path.Operations())
		delete(methods, http.MethodOptions)                 // which says nothing about the path
		delete(methods, x.event.RequestContext.HTTP.Method) // one that a setting turns off
		if documented := slices.Sorted(maps.Keys(methods)); !slices.Equal(said, documented) {
			faults = append(faults, fmt.Errorf("Allow is %s, documented are %v", allow, documented))
		}
	}
	return errors.Join(faults...)
}

func checkAnswer(t *testing.T, x exchange, request *openapi3filter.RequestValidationInput) error {
	t.Helper()
	header := make(http.Header)
	for name, value := range x.answer.Headers {
		header.Set(name, value)
	}
	text := x.answer.text()
	err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: x.answer.Status, Header: header, Body: io.NopCloser(strings.NewReader(text)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	var problem struct{ Status int }
	if header.Get("Content-Type") == "application/problem+json" && (json.Unmarshal([]byte(text), &problem) != nil || problem.Status != x.answer.Status) {
		err = errors.Join(err, fmt.Errorf("a problem of status %d, answered with %d", problem.Status, x.answer.Status))
	}
	return err
}
