package sources

import (
	"errors"
	"mime"
	"strings"

	"github.com/trunkhook/trunkhook/handler/strictjson"
)

// ErrContentType is a body of another type than the source sends.
var ErrContentType = errors.New("sources: the body has another content type than this source sends")

// BodyError is a body that can't be read, as a whole. Its text is a sentence for
// the sender, and repeats nothing of the body.
type BodyError struct{ Detail string }

func (e BodyError) Error() string { return e.Detail }

// What a body may be: the values of content in a source's file.
const (
	contentJSON        = "json"
	contentForm        = "form"
	contentFormOrJSON  = "form-or-json"
	contentSOAP        = "soap"
	contentEventBridge = "eventbridge"
)

// parseBody reads a body into what expressions work on.
func parseBody(content, contentType string, body []byte) (any, error) {
	kind := mediaType(contentType)
	isForm, isJSON, isXML := kind == "application/x-www-form-urlencoded", isJSONType(kind), isXMLType(kind)
	if kind == "" {
		isForm, isJSON, isXML = true, true, true // it claims nothing
	}
	switch {
	case content == contentJSON && isJSON:
		return parseJSON(body)
	case content == contentEventBridge:
		return parseEventBridge(body)
	case content == contentForm && isForm:
		return parseForm(body)
	case content == contentSOAP && isXML:
		return parseSOAP(body)
	case content == contentFormOrJSON && (isForm && isJSON || kind == "text/plain"):
		if looksLikeJSON(body) {
			return parseJSON(body)
		}
		return parseForm(body)
	case content == contentFormOrJSON && isForm:
		return parseForm(body)
	case content == contentFormOrJSON && isJSON:
		return parseJSON(body)
	}
	return nil, ErrContentType
}

// mediaType is without parameters, in lower case; empty for none.
func mediaType(contentType string) string {
	if contentType == "" {
		return ""
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return "unreadable"
	}
	return kind
}

func isJSONType(kind string) bool {
	return kind == "application/json" || kind == "text/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
}

func isXMLType(kind string) bool {
	return kind == "text/xml" || kind == "application/xml" || kind == "application/soap+xml"
}

func looksLikeJSON(body []byte) bool {
	text := strings.TrimLeft(string(body[:min(len(body), 64)]), " \t\r\n")
	return strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")
}

func parseJSON(body []byte) (any, error) {
	value, err := strictjson.Parse(body)
	var refused strictjson.Error
	if errors.As(err, &refused) {
		return nil, BodyError{refused.Detail}
	}
	return value, err
}

// parseEventBridge reads an event of EventBridge as it is, and adds partner: the
// parts of source behind aws.partner/, since JMESPath 1.0 can't take a text
// apart and Salesforce's organisation stands nowhere else.
func parseEventBridge(body []byte) (any, error) {
	value, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	event, ok := value.(map[string]any)
	if !ok {
		return nil, BodyError{"The event must be a JSON object."}
	}
	source, _ := event["source"].(string)
	partner := []any{}
	if path, ok := strings.CutPrefix(source, "aws.partner/"); ok {
		for part := range strings.SplitSeq(path, "/") {
			partner = append(partner, part)
		}
	}
	event["partner"] = partner
	return event, nil
}
