// Package sources knows the systems that send signups: for each of them one
// small JSON file beside this one says how it proves itself, where its fields
// are and which answer it wants.
//
// # How do I add a system?
//
// Put a file into this directory and build; no Go is needed. Its name, without
// .json, is the source's: POST /webhooks/<name>. The checks run when the process
// starts ([Load]) and in make check. schema.json helps an editor.
//
//	{
//	  "$schema": "./schema.json",
//	  "about": "Our shop, on a signed contract.",
//	  "auth": {"kind": "standard-webhooks"},
//	  "content": "json",
//	  "match": "type=='contract.signed'",
//	  "id": "[shop_id, customer.id]",
//	  "company": "customer.company || customer.name"
//	}
//
// # What may stand in a file?
//
//	about             one line for people
//	auth              how a request proves itself, or a list of ways, any of which suffices (package verify)
//	event             in place of auth, for what comes without HTTP: keys at the top, and what their texts start with
//	content           json, form, form-or-json, soap (Salesforce's Outbound Message), eventbridge
//	reply             json (default), leadsquared, salesforce-ack, echo
//	namespace         what signup ids start with; the source's name by default
//	max_events        how many events of a body are read, the others being kept; 100 by default
//	customer_typed    keys whose values the customer types: id and what a trunk lets in must not use them
//	id_form           plain (default), salesforce (ids of 15 and of 18 characters are one)
//
// and the expressions, each, cancelled, match, id and company, and for what a signup asks for
// beside its trunk phone_numbers, whitelisted_ips, destination_uris, credentials and
// caller_id. A key that isn't one of these is refused.
//
// # What is an expression?
//
// JMESPath 1.0 (https://jmespath.org), without what would not give the same for
// the same event each time, or would do more work than in proportion to it: no
// .* over objects, no &expressions, and of the functions contains, ends_with,
// join, length, not_null, sort, starts_with, to_array and to_string. Numbers stay
// as they were written, so that large ids survive, and can't be compared; texts
// and booleans can. a || b takes b where a is missing or empty. Keys with other
// characters than letters, digits and _ stand in double quotes.
//
// What expressions see: of json the body, or each element of the list that each
// finds; of a form an object of texts; of soap one object for each notification
// (parseSOAP); of eventbridge the event, with the parts of its source as partner.
//
// # How does a signup end?
//
// An event on which cancelled gives true, and nothing else that counts as true, deletes
// the signup of its id, with its trunk, where the process allows deletions. Of the
// other expressions only id is evaluated on it. Keys that the customer types can't
// stand in it.
//
// # How does a signup id come about?
//
// It is <namespace>:<id>. Where id is a list, [portal, vid], its parts are joined
// with colons. It must hold whatever makes a record unique in its CRM. Nothing is
// cleaned: each part must be a whole number, or text of letters, digits and
// . _ : @ | - (a colon only in the last part), or the event is refused. So two
// records never meet at one signup; and sources that share a namespace, being two
// ways out of one CRM, meet at one signup for one record.
//
// # How do I change one expression without building?
//
// By the overrides that [Load] takes: {"zoho": {"company": "account_name"}}.
package sources
