package sources

import "strings"

const (
	soapNS     = "http://schemas.xmlsoap.org/soap/envelope/"
	outboundNS = "http://soap.sforce.com/2005/09/outbound"
	instanceNS = "http://www.w3.org/2001/XMLSchema-instance"
)

// parseSOAP reads an Outbound Message of Salesforce into a list of its
// notifications, each an object:
//
//	{"OrganizationId": "00D...", "ActionId": "04k...",
//	 "Notification": {"Id": "04l...", "sObject": {"type": "Account", "Id": "001...", "Name": "..."}}}
//
// SessionId, which can be a live session, is dropped as it is read, and so are
// the URLs. The shape is that of the SOAP API guide's page on notifications
// (sforce_api_om_outboundmessaging_notifications, version 246.0).
func parseSOAP(body []byte) (any, error) {
	envelope, err := parseXML(body, "SessionId")
	if err != nil {
		return nil, err
	}
	if envelope.space != soapNS || envelope.local != "Envelope" {
		return nil, BodyError{"The XML must be a SOAP 1.1 envelope."}
	}
	content, err := envelope.one(soapNS, "Body")
	if err != nil {
		return nil, err
	}
	message, err := content.one(outboundNS, "notifications")
	if err != nil {
		return nil, err
	}
	return notifications(message)
}

func notifications(message *element) (any, error) {
	organization, err := message.id("OrganizationId")
	if err != nil {
		return nil, err
	}
	action, err := message.id("ActionId")
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, one := range message.all(outboundNS, "Notification") {
		fields := map[string]any{"OrganizationId": organization, "ActionId": action}
		notification, err := one.notification()
		if err != nil { // the others are signups all the same, and all are acknowledged
			fields["Notification"] = one.texts()
			list = append(list, brokenElement{fields, err})
			continue
		}
		fields["Notification"] = notification
		list = append(list, fields)
	}
	return list, nil
}

// id is one of the message's own. All its notifications repeat it, so that it must
// not be long.
func (e *element) id(local string) (any, error) {
	one, err := e.one(outboundNS, local)
	if err != nil {
		return nil, err
	}
	text := one.trimmed()
	if len(text) > maxPart {
		return nil, BodyError{"The " + local + " is too long."}
	}
	return text, nil
}

// brokenElement is one of a body's events that can't be read, with what of it an
// operator can look at.
type brokenElement struct {
	fields map[string]any
	err    error
}

// notification reads {"Id": ..., "sObject": {...}}.
func (e *element) notification() (map[string]any, error) {
	id, err := e.one(outboundNS, "Id")
	if err != nil {
		return nil, err
	}
	record, err := e.one(outboundNS, "sObject")
	if err != nil {
		return nil, err
	}
	object := make(map[string]any)
	if kind := record.attr(instanceNS, "type"); kind != "" {
		object["type"] = kind[strings.IndexByte(kind, ':')+1:]
	}
	if object, err = record.object(object); err != nil {
		return nil, err
	}
	return map[string]any{"Id": id.trimmed(), "sObject": object}, nil
}
