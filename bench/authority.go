package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// authority signs for the fronts, and lies among this machine's own authorities as
// Amazon Linux 2023 has them.
type authority struct {
	certificate tls.Certificate // of 127.0.0.1
	own         string          // file of the authority alone
	bundle      string          // file of all, 200 kB and more
	dir         string          // /etc/pki/tls/certs, which links to the bundle
}

// bundles are where systems keep their authorities.
var bundles = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"}

func newAuthority(dir string) (authority, error) {
	root, key, err := sign(nil, nil)
	if err != nil {
		return authority{}, err
	}
	leaf, leafKey, err := sign(root, key)
	if err != nil {
		return authority{}, err
	}
	a := authority{
		certificate: tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey},
		own:         filepath.Join(dir, "own.pem"), bundle: filepath.Join(dir, "bundle.pem"), dir: filepath.Join(dir, "certs"),
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})
	system, err := systemBundle()
	if err != nil {
		return authority{}, err
	}
	return a, errors.Join(
		os.WriteFile(a.own, text, 0o600),
		os.WriteFile(a.bundle, append(system, text...), 0o600),
		os.Mkdir(a.dir, 0o700),
		os.Symlink(a.bundle, filepath.Join(a.dir, "ca-bundle.crt")),
	)
}

func systemBundle() ([]byte, error) {
	i := slices.IndexFunc(bundles, func(file string) bool { _, err := os.Stat(file); return err == nil })
	if i < 0 {
		return nil, errors.New("this machine has no bundle of certificate authorities")
	}
	return os.ReadFile(bundles[i])
}

// sign makes a certificate: the authority's own where there is no parent.
func sign(parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "bench authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if parent == nil {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
		parent, parentKey = template, key
	} else {
		template.Subject.CommonName = "bench services"
		template.IPAddresses, template.ExtKeyUsage = []net.IP{net.IPv4(127, 0, 0, 1)}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(raw)
	return certificate, key, err
}
