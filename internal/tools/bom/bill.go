package main

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The parts of CycloneDX 1.5 (ECMA-424) that are used.
type (
	document struct {
		Format       string       `json:"bomFormat"`
		Spec         string       `json:"specVersion"`
		Serial       string       `json:"serialNumber"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		Scope      string     `json:"scope,omitempty"`
		Hashes     []hash     `json:"hashes"`
		Licenses   []licence  `json:"licenses"`
		PURL       string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	licence struct {
		License    *licenceID `json:"license,omitempty"`
		Expression string     `json:"expression,omitempty"`
	}
	licenceID struct {
		ID string `json:"id"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	}
)

// bill is the bill of materials. Its serial number and time come from what it is
// about, so that the same binary has the same bill.
func bill(p *product, version, epoch string) (*document, error) {
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	p.parts[0].version, p.parts[0].hash = version, p.hash
	p.parts[0].purl = "pkg:golang/" + self + "@" + version
	d := &document{Format: "CycloneDX", Spec: "1.5", Version: 1, Serial: serial(p.hash),
		Metadata: metadata{Timestamp: time.Unix(seconds, 0).UTC().Format(time.RFC3339)}}
	for i, c := range p.parts {
		if i == 0 {
			d.Metadata.Component = c.component("application")
		} else {
			d.Components = append(d.Components, c.component("library"))
		}
		to := []string{}
		for _, name := range c.needs {
			to = append(to, p.part(name).purl)
		}
		slices.Sort(to)
		d.Dependencies = append(d.Dependencies, dependency{c.purl, to})
	}
	return d, nil
}

func (c *part) component(kind string) component {
	out := component{Type: kind, Ref: c.purl, Name: c.name, Version: c.version, PURL: c.purl,
		Hashes: []hash{{"SHA-256", c.hash}}, Licenses: []licence{{License: &licenceID{c.licence}}}}
	if strings.Contains(c.licence, " ") {
		out.Licenses = []licence{{Expression: c.licence}}
	}
	if c.hashed != "" {
		out.Scope = "required"
		out.Properties = []property{{"boatd:hashed", c.hashed}}
	}
	return out
}

// serial is a UUID (RFC 9562, version 8) made of a hash.
func serial(of string) string {
	b := sha256.Sum256([]byte("boatd bill of materials " + of))
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
