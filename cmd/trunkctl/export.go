package main

import "encoding/json"

type exportCommand struct{}

// Run writes all signups, a line each, as they are read. trunkctl replay takes them.
func (c *exportCommand) Run(i *invocation) error {
	encoder := json.NewEncoder(i.out)
	encoder.SetEscapeHTML(false)
	for record, err := range i.archive.All(i.ctx) {
		if err != nil {
			return err
		}
		if err := encoder.Encode(record); err != nil {
			return err
		}
	}
	return nil
}
