package keyfile

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/boatd/boatd/keystore"
)

// The keys in testdata, as openssl ec -text shows them.
const (
	keyK1 = "0ed64a62d531840d4adcd72f048c3c028e7d235a69217c68ffd9439febc7bbd6"
	keyR1 = "5e9197cc2822d34ba9416f41dff4bc42b9010c4775e20ff22325 6d16327131e2"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// block wraps DER in PEM.
func block(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

// der marshals v.
func der(t testing.TB, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// inside returns the DER of a file of testdata.
func inside(t testing.TB, name string) []byte {
	t.Helper()
	if b, _ := pem.Decode(testdata(t, name)); b != nil {
		return b.Bytes
	}
	t.Fatalf("%s: no PEM block", name)
	return nil
}

func TestOpenSSL(t *testing.T) {
	for _, c := range []struct{ file, curve, key string }{
		{"secp256k1.param", keystore.Secp256k1, keyK1},
		{"secp256k1.sec1", keystore.Secp256k1, keyK1},
		{"secp256k1.comp", keystore.Secp256k1, keyK1},
		{"secp256k1.nopub", keystore.Secp256k1, keyK1},
		{"secp256k1.p8", keystore.Secp256k1, keyK1},
		{"secp256k1.enc256", keystore.Secp256k1, keyK1},
		{"secp256k1.enc128", keystore.Secp256k1, keyK1},
		{"prime256v1.param", keystore.Secp256r1, keyR1},
		{"prime256v1.comp", keystore.Secp256r1, keyR1},
		{"prime256v1.p8", keystore.Secp256r1, keyR1},
		{"prime256v1.enc256", keystore.Secp256r1, keyR1},
	} {
		file := testdata(t, c.file)
		before := bytes.Clone(file)
		curve, key, err := ParsePEM(file, []byte("boat"))
		if err != nil || curve != c.curve || !bytes.Equal(key, unhex(t, c.key)) {
			t.Errorf("%s: %s, %x, %v", c.file, curve, key, err)
		}
		if !bytes.Equal(file, before) {
			t.Errorf("%s: the caller's bytes were changed", c.file)
		}
	}
}

func TestPEMRefused(t *testing.T) {
	k1 := string(testdata(t, "secp256k1.sec1"))
	for name, c := range map[string]struct {
		file string
		want error
		text string
	}{
		"nothing":          {"", ErrFormat, "no PEM block"},
		"text":             {"hello", ErrFormat, "no PEM block"},
		"too long":         {k1 + strings.Repeat(" ", MaxFile), ErrFormat, "at most"},
		"params only":      {strings.Split(string(testdata(t, "secp256k1.param")), "-----BEGIN EC PRIVATE")[0], ErrFormat, "no PEM block"},
		"two keys":         {k1 + string(testdata(t, "secp256k1.p8")), ErrFormat, "after the key"},
		"other parameters": {strings.Split(string(testdata(t, "prime256v1.param")), "-----BEGIN EC PRIVATE")[0] + k1, ErrFormat, "names the curves"},
		"public key":       {string(testdata(t, "secp256k1.pub")), ErrUnsupported, "PUBLIC KEY"},
		"RSA":              {string(testdata(t, "rsa")), ErrUnsupported, "1.2.840.113549.1.1.1"},
		"RSA encrypted":    {string(testdata(t, "rsa.enc")), ErrUnsupported, "1.2.840.113549.1.1.1"},
		"P-384":            {string(testdata(t, "p384")), ErrUnsupported, "1.3.132.0.34"},
		"explicit":         {string(testdata(t, "secp256k1.explicit")), ErrUnsupported, "not named"},
		"old encryption":   {string(testdata(t, "secp256k1.legacy")), ErrUnsupported, "headers"},
		"PBES1":            {string(testdata(t, "secp256k1.v1")), ErrUnsupported, "not PBES2"},
		"scrypt":           {string(testdata(t, "secp256k1.scrypt")), ErrUnsupported, "not PBKDF2"},
		"3DES":             {string(testdata(t, "secp256k1.des3")), ErrUnsupported, "not AES"},
		"HMAC-SHA-1":       {string(testdata(t, "secp256k1.sha1")), ErrUnsupported, "not HMAC-SHA-256"},
	} {
		_, key, err := ParsePEM([]byte(c.file), []byte("boat"))
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || key != nil {
			t.Errorf("%s: %x, %v, want %v with %q", name, key, err, c.want, c.text)
		}
	}
}

func TestWrongPassphrase(t *testing.T) {
	file := testdata(t, "secp256k1.enc128") // ten iterations
	// Padding is right for some of so many wrong passphrases.
	for i := range 1000 {
		if _, key, err := ParsePEM(file, strconv.AppendInt([]byte("boat"), int64(i), 10)); !errors.Is(err, ErrPassphrase) {
			t.Fatalf("%d: %x, %v", i, key, err)
		}
	}
	if _, _, err := ParsePEM(file, nil); !errors.Is(err, ErrPassphrase) {
		t.Errorf("none: %v", err)
	}
}

// TestSEC1Refused changes one field at a time of an ECPrivateKey.
func TestSEC1Refused(t *testing.T) {
	key := unhex(t, keyK1)
	point, err := publicPoint(keystore.Secp256k1, key)
	if err != nil {
		t.Fatal(err)
	}
	oid := asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: der(t, oidSecp256k1)}
	public := func(b []byte) asn1.BitString { return asn1.BitString{Bytes: b, BitLength: 8 * len(b)} }
	otherY := bytes.Clone(point)
	otherY[63] ^= 1
	order := unhex(t, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	for name, c := range map[string]struct {
		der  []byte
		want error
	}{
		"good":              {der(t, ecPrivateKey{1, key, oid, public(point)}), nil},
		"compressed":        {der(t, ecPrivateKey{1, key, oid, public(compress(point))}), nil},
		"version 0":         {der(t, ecPrivateKey{0, key, oid, public(point)}), ErrFormat},
		"no curve":          {der(t, ecPrivateKey{Version: 1, PrivateKey: key}), ErrFormat},
		"33 bytes":          {der(t, ecPrivateKey{1, append([]byte{0}, key...), oid, public(point)}), ErrFormat},
		"27 bytes":          {der(t, ecPrivateKey{1, key[5:], oid, asn1.BitString{}}), ErrFormat},
		"empty":             {der(t, ecPrivateKey{1, nil, oid, asn1.BitString{}}), ErrFormat},
		"zero":              {der(t, ecPrivateKey{1, make([]byte, 32), oid, asn1.BitString{}}), keystore.ErrSecret},
		"the order":         {der(t, ecPrivateKey{1, order, oid, asn1.BitString{}}), keystore.ErrSecret},
		"other public key":  {der(t, ecPrivateKey{1, key, oid, public(otherY)}), ErrMismatch},
		"negative":          {der(t, ecPrivateKey{1, key, oid, public(append([]byte{5 ^ compress(point)[0]}, point[1:33]...))}), ErrMismatch},
		"hybrid":            {der(t, ecPrivateKey{1, key, oid, public(append([]byte{6}, point[1:]...))}), ErrMismatch},
		"bits missing":      {der(t, ecPrivateKey{1, key, oid, asn1.BitString{Bytes: point, BitLength: 513}}), ErrFormat},
		"bytes after it":    {append(der(t, ecPrivateKey{1, key, oid, public(point)}), 0), ErrFormat},
		"cut":               {der(t, ecPrivateKey{1, key, oid, public(point)})[:60], ErrFormat},
		"PKCS#8 mislabeled": {inside(t, "secp256k1.p8"), ErrFormat},
	} {
		_, got, err := ParsePEM(block(labelSEC1, c.der), nil)
		if !errors.Is(err, c.want) || (err == nil) != bytes.Equal(got, key) {
			t.Errorf("%s: %x, %v, want %v", name, got, err, c.want)
		}
	}
}

// TestShortKeys: old programs leave leading zeros out.
func TestShortKeys(t *testing.T) {
	short := bytes.Repeat([]byte{7}, 28)
	oid := asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: der(t, oidSecp256r1)}
	curve, key, err := ParsePEM(block(labelSEC1, der(t, ecPrivateKey{Version: 1, PrivateKey: short, Curve: oid})), nil)
	if err != nil || curve != keystore.Secp256r1 || !bytes.Equal(key, append(make([]byte, 4), short...)) {
		t.Errorf("%s %x %v", curve, key, err)
	}
}

// TestPKCS8 covers what OpenSSL does not write.
func TestPKCS8(t *testing.T) {
	key := unhex(t, keyK1)
	point, err := publicPoint(keystore.Secp256k1, key)
	if err != nil {
		t.Fatal(err)
	}
	named := algorithm{oidECPublicKey, asn1.RawValue{FullBytes: der(t, oidSecp256k1)}}
	public := asn1.BitString{Bytes: point, BitLength: 520}
	other := asn1.BitString{Bytes: append(bytes.Clone(point[:64]), point[64]^1), BitLength: 520}
	plain := der(t, ecPrivateKey{Version: 1, PrivateKey: key})
	r1 := asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: der(t, oidSecp256r1)}
	attributes := []asn1.RawValue{{FullBytes: der(t, struct {
		A asn1.ObjectIdentifier
		B []asn1.RawValue `asn1:"set"`
	}{oidSecp256k1, nil})}}
	for name, c := range map[string]struct {
		info privateKeyInfo
		want error
	}{
		"bare":                {privateKeyInfo{0, named, plain, nil, asn1.BitString{}}, nil},
		"RFC 5958":            {privateKeyInfo{1, named, plain, nil, public}, nil},
		"attributes":          {privateKeyInfo{1, named, plain, attributes, public}, nil},
		"version 2":           {privateKeyInfo{2, named, plain, nil, asn1.BitString{}}, ErrFormat},
		"outer public key":    {privateKeyInfo{1, named, plain, nil, other}, ErrMismatch},
		"inner public key":    {privateKeyInfo{1, named, der(t, ecPrivateKey{Version: 1, PrivateKey: key, PublicKey: other}), nil, public}, ErrMismatch},
		"other curve inside":  {privateKeyInfo{0, named, der(t, ecPrivateKey{Version: 1, PrivateKey: key, Curve: r1}), nil, asn1.BitString{}}, ErrFormat},
		"no curve":            {privateKeyInfo{0, algorithm{OID: oidECPublicKey}, plain, nil, asn1.BitString{}}, ErrUnsupported},
		"another kind of key": {privateKeyInfo{0, algorithm{OID: oidPBES2}, plain, nil, asn1.BitString{}}, ErrUnsupported},
		"nothing inside":      {privateKeyInfo{0, named, nil, nil, asn1.BitString{}}, ErrFormat},
	} {
		_, got, err := ParsePEM(block(labelPKCS8, der(t, c.info)), nil)
		if !errors.Is(err, c.want) || (err == nil) != bytes.Equal(got, key) {
			t.Errorf("%s: %x, %v, want %v", name, got, err, c.want)
		}
	}
}

// encrypted makes a file with these parameters around nothing of worth.
func encrypted(t testing.TB, p pbkdf2Params, iv, data []byte) []byte {
	both := der(t, pbes2{
		algorithm{oidPBKDF2, asn1.RawValue{FullBytes: der(t, p)}},
		algorithm{oidAES128CBC, asn1.RawValue{FullBytes: der(t, iv)}},
	})
	return block(labelEncrypted, der(t, encryptedKeyInfo{algorithm{oidPBES2, asn1.RawValue{FullBytes: both}}, data}))
}

func TestPBES2Refused(t *testing.T) {
	sha256 := algorithm{oidHMACSHA256, null}
	salt, iv, data := make([]byte, 8), make([]byte, 16), make([]byte, 144)
	for name, c := range map[string]struct {
		p        pbkdf2Params
		iv, data []byte
		want     error
	}{
		"good but not ours":  {pbkdf2Params{salt, 1, 16, sha256}, iv, data, ErrPassphrase},
		"no function":        {pbkdf2Params{salt, 1, 16, algorithm{}}, iv, data, ErrUnsupported},
		"no iterations":      {pbkdf2Params{salt, 0, 16, sha256}, iv, data, ErrFormat},
		"negative":           {pbkdf2Params{salt, -1, 16, sha256}, iv, data, ErrFormat},
		"a key of 32":        {pbkdf2Params{salt, 1, 32, sha256}, iv, data, ErrFormat},
		"long salt":          {pbkdf2Params{make([]byte, maxSalt+1), 1, 16, sha256}, iv, data, ErrFormat},
		"costly":             {pbkdf2Params{salt, 1e6, 16, sha256}, iv, data, ErrCost},
		"costlier than int":  {pbkdf2Params{salt, 1 << 62, 16, sha256}, iv, data, ErrCost},
		"short vector":       {pbkdf2Params{salt, 1, 16, sha256}, iv[1:], data, ErrFormat},
		"half a block":       {pbkdf2Params{salt, 1, 16, sha256}, iv, data[8:], ErrFormat},
		"nothing encrypted":  {pbkdf2Params{salt, 1, 16, sha256}, iv, nil, ErrFormat},
		"without its length": {pbkdf2Params{salt, 1, 0, sha256}, iv, data, ErrPassphrase},
	} {
		_, key, err := ParsePEM(encrypted(t, c.p, c.iv, c.data), nil)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %x, %v, want %v", name, key, err, c.want)
		}
	}
}

// counter is a source that is not random.
type counter byte

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(*c)
		*c++
	}
	return len(b), nil
}

func TestPEMRoundTrip(t *testing.T) {
	for curve, text := range map[string]string{keystore.Secp256k1: keyK1, keystore.Secp256r1: keyR1} {
		want := unhex(t, text)
		for _, pass := range []string{"boat", "\x00\xff", strings.Repeat("long ", 100)} {
			file, err := encodePEM(curve, want, []byte(pass), new(counter), 3)
			if err != nil {
				t.Fatal(err)
			}
			got, key, err := ParsePEM(file, []byte(pass))
			if err != nil || got != curve || !bytes.Equal(key, want) {
				t.Errorf("%s, %q: %s %x %v", curve, pass, got, key, err)
			}
			if _, _, err := ParsePEM(file, []byte(pass+"x")); !errors.Is(err, ErrPassphrase) {
				t.Errorf("%s, %q with a letter more: %v", curve, pass, err)
			}
		}
	}
}

// TestEncodePEM: OpenSSL 3.0.19 has read this file (openssl pkey -passin
// pass:boat), and we may read what we write.
func TestEncodePEM(t *testing.T) {
	file, err := EncodePEM(keystore.Secp256k1, unhex(t, keyK1), []byte("boat"), new(counter))
	if err != nil {
		t.Fatal(err)
	}
	if want := testdata(t, "export"); !bytes.Equal(file, want) {
		t.Errorf("got\n%s\nwant\n%s", file, want)
	}
	if err := pbkdf2Cost(exportIterations).within(limit); err != nil {
		t.Error(err)
	}
}

func TestExportRefused(t *testing.T) {
	key := unhex(t, keyK1)
	short := bytes.NewReader(make([]byte, 31))
	for name, c := range map[string]struct {
		curve     string
		key, pass []byte
		rand      io.Reader
		want      error
	}{
		"no passphrase": {keystore.Secp256k1, key, nil, new(counter), ErrPassphrase},
		"other curve":   {"ed25519", key, key, new(counter), ErrUnsupported},
		"short key":     {keystore.Secp256k1, key[1:], key, new(counter), keystore.ErrSecret},
		"short key r1":  {keystore.Secp256r1, key[1:], key, new(counter), keystore.ErrSecret},
		"zero":          {keystore.Secp256k1, make([]byte, 32), key, new(counter), keystore.ErrSecret},
		"zero r1":       {keystore.Secp256r1, make([]byte, 32), key, new(counter), keystore.ErrSecret},
		"no randomness": {keystore.Secp256k1, key, key, short, io.ErrUnexpectedEOF},
	} {
		if file, err := EncodePEM(c.curve, c.key, c.pass, c.rand); !errors.Is(err, c.want) {
			t.Errorf("%s: %s, %v, want %v", name, file, err, c.want)
		}
	}
}

func FuzzPEM(f *testing.F) {
	for _, name := range []string{"secp256k1.param", "secp256k1.p8", "secp256k1.enc128", "prime256v1.comp", "secp256k1.legacy", "secp256k1.explicit", "secp256k1.scrypt", "rsa"} {
		f.Add(testdata(f, name))
	}
	f.Add(encrypted(f, pbkdf2Params{nil, 1 << 40, 16, algorithm{oidHMACSHA256, null}}, make([]byte, 16), make([]byte, 16)))
	f.Fuzz(func(t *testing.T, file []byte) {
		curve, key, err := parsePEM(file, []byte("boat"), Cost{1 << 20, 100 * hmacInstructions})
		if err != nil {
			if key != nil || curve != "" {
				t.Fatalf("%s %x beside %v", curve, key, err)
			}
			return
		}
		again, err := encodePEM(curve, key, []byte("x"), new(counter), 1)
		if err != nil {
			t.Fatalf("a key that cannot be written: %v", err)
		}
		if c, k, err := ParsePEM(again, []byte("x")); err != nil || c != curve || !bytes.Equal(k, key) {
			t.Fatalf("%s %x became %s %x, %v", curve, key, c, k, err)
		}
	})
}
