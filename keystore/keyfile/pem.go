package keyfile

import (
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"

	"github.com/boatd/boatd/internal/secret"
	"github.com/boatd/boatd/keystore"
)

// Labels of PEM blocks (RFC 5915, 4; RFC 7468, 10 and 11). OpenSSL puts the
// first before a key.
const (
	labelParameters = "EC PARAMETERS"
	labelSEC1       = "EC PRIVATE KEY"
	labelPKCS8      = "PRIVATE KEY"
	labelEncrypted  = "ENCRYPTED PRIVATE KEY"
)

var (
	oidECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}    // RFC 5480, 2.1.1
	oidSecp256r1   = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7} // RFC 5480, 2.1.1.1
	oidSecp256k1   = asn1.ObjectIdentifier{1, 3, 132, 0, 10}          // SEC 2, A.2.1
)

// ecPrivateKey is RFC 5915's ECPrivateKey.
type ecPrivateKey struct {
	Version    int
	PrivateKey []byte
	Curve      asn1.RawValue  `asn1:"optional,explicit,tag:0"`
	PublicKey  asn1.BitString `asn1:"optional,explicit,tag:1"`
}

// privateKeyInfo is PKCS#8's PrivateKeyInfo (RFC 5208, 5), with the public key
// that RFC 5958 adds.
type privateKeyInfo struct {
	Version    int
	Algorithm  algorithm
	PrivateKey []byte
	Attributes []asn1.RawValue `asn1:"optional,tag:0,set"`
	PublicKey  asn1.BitString  `asn1:"optional,tag:1"`
}

// algorithm is an AlgorithmIdentifier (RFC 5280, 4.1.1.2).
type algorithm struct {
	OID        asn1.ObjectIdentifier
	Parameters asn1.RawValue `asn1:"optional"`
}

// ParsePEM reads the one private key of a PEM file: `EC PRIVATE KEY` (RFC
// 5915), with or without `EC PARAMETERS` before it, `PRIVATE KEY` (PKCS#8) or
// `ENCRYPTED PRIVATE KEY` (PKCS#8 with PBES2: PBKDF2 with HMAC-SHA-256, and
// AES-128 or AES-256 in CBC mode; what OpenSSL 1.1 and newer writes). The curve
// is the one that the file names by its OID, secp256k1 or secp256r1; a public
// key in the file must be that of the private key. The passphrase, any bytes,
// is for encrypted files only; others ignore it.
//
// It returns keystore's name of the curve and 32 bytes, big-endian, which the
// caller wipes. Errors: ErrFormat, ErrUnsupported, ErrPassphrase, ErrMismatch,
// ErrCost, keystore.ErrSecret.
func ParsePEM(file, passphrase []byte) (curve string, key []byte, err error) {
	return parsePEM(file, passphrase, limit)
}

func parsePEM(file, passphrase []byte, limit Cost) (curve string, key []byte, err error) {
	block, curve, err := keyBlock(file)
	if err != nil {
		return "", nil, fmt.Errorf("reading a PEM file: %w", err)
	}
	defer secret.Wipe(block.Bytes)
	switch block.Type {
	case labelSEC1:
		curve, key, err = parseSEC1(block.Bytes, curve, asn1.BitString{})
	case labelPKCS8:
		curve, key, err = parsePKCS8(block.Bytes, curve)
	default:
		curve, key, err = parseEncrypted(block.Bytes, curve, passphrase, limit)
	}
	if err != nil {
		return "", nil, fmt.Errorf("reading the PEM block %q: %w", block.Type, err)
	}
	return curve, key, nil
}

// keyBlock finds the key in a file, and the curve that a block of parameters
// before it names. Text around the blocks is allowed (RFC 7468, 2); other
// blocks are not, lest one imports another key than one sees.
func keyBlock(file []byte) (key *pem.Block, curve string, err error) {
	if err := checkSize(file); err != nil {
		return nil, "", err
	}
	block, rest := pem.Decode(file)
	if block != nil && block.Type == labelParameters {
		if curve, err = curveOf(block.Bytes); err != nil {
			return nil, "", err
		}
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, "", fmt.Errorf("%w: no PEM block with a key", ErrFormat)
	}
	if err := checkBlock(block, rest); err != nil {
		secret.Wipe(block.Bytes)
		return nil, "", err
	}
	return block, curve, nil
}

func checkBlock(block *pem.Block, rest []byte) error {
	switch block.Type {
	case labelSEC1, labelPKCS8, labelEncrypted:
	default:
		return fmt.Errorf("%w: a PEM block %q", ErrUnsupported, block.Type)
	}
	if len(block.Headers) > 0 {
		return fmt.Errorf("%w: PEM headers, of OpenSSL's old encryption; convert with openssl pkcs8 -topk8", ErrUnsupported)
	}
	if second, _ := pem.Decode(rest); second != nil {
		secret.Wipe(second.Bytes)
		return fmt.Errorf("%w: a PEM block %q after the key", ErrFormat, second.Type)
	}
	return nil
}

// parseSEC1 reads an ECPrivateKey. What stands around it may have named the
// curve, and a public key.
func parseSEC1(der []byte, curve string, public asn1.BitString) (string, []byte, error) {
	var k ecPrivateKey
	err := unmarshal(der, &k)
	defer secret.Wipe(k.PrivateKey)
	if err != nil {
		return "", nil, err
	}
	if k.Version != 1 {
		return "", nil, fmt.Errorf("%w: version %d of ECPrivateKey, not 1", ErrFormat, k.Version)
	}
	if len(k.Curve.FullBytes) > 0 {
		if curve, err = alsoCurve(curve, k.Curve.Bytes); err != nil {
			return "", nil, err
		}
	}
	if curve == "" {
		return "", nil, fmt.Errorf("%w: it names no curve", ErrFormat)
	}
	key, err := pad(k.PrivateKey)
	if err != nil {
		return "", nil, err
	}
	for _, p := range []asn1.BitString{k.PublicKey, public} {
		if err == nil {
			err = checkPublic(curve, key, p)
		}
	}
	key, err = keep(key, err)
	return curve, key, err
}

func checkPublic(curve string, key []byte, public asn1.BitString) error {
	if public.BitLength != 8*len(public.Bytes) {
		return fmt.Errorf("%w: a public key of %d bits", ErrFormat, public.BitLength)
	}
	return checkKey(curve, key, public.Bytes)
}

func parsePKCS8(der []byte, curve string) (string, []byte, error) {
	var info privateKeyInfo
	err := unmarshal(der, &info)
	defer secret.Wipe(info.PrivateKey)
	if err != nil {
		return "", nil, err
	}
	if info.Version != 0 && info.Version != 1 {
		return "", nil, fmt.Errorf("%w: version %d of PKCS#8", ErrFormat, info.Version)
	}
	if !info.Algorithm.OID.Equal(oidECPublicKey) {
		return "", nil, fmt.Errorf("%w: a key of the kind %v, not an elliptic curve's", ErrUnsupported, info.Algorithm.OID)
	}
	if curve, err = alsoCurve(curve, info.Algorithm.Parameters.FullBytes); err != nil {
		return "", nil, err
	}
	return parseSEC1(info.PrivateKey, curve, info.PublicKey)
}

// alsoCurve is curveOf where the curve may have been named before.
func alsoCurve(before string, der []byte) (string, error) {
	curve, err := curveOf(der)
	if err == nil && before != "" && before != curve {
		err = fmt.Errorf("%w: it names the curves %s and %s", ErrFormat, before, curve)
	}
	return curve, err
}

// curveOf reads ECParameters, which for us is an OID (RFC 5480, 2.1.1).
func curveOf(der []byte) (string, error) {
	var oid asn1.ObjectIdentifier
	if err := unmarshal(der, &oid); err != nil {
		return "", fmt.Errorf("%w: a curve that is not named by an OID", ErrUnsupported)
	}
	switch {
	case oid.Equal(oidSecp256k1):
		return keystore.Secp256k1, nil
	case oid.Equal(oidSecp256r1):
		return keystore.Secp256r1, nil
	}
	return "", fmt.Errorf("%w: the curve %v", ErrUnsupported, oid)
}

// unmarshal reads one DER value that fills der.
func unmarshal(der []byte, to any) error {
	rest, err := asn1.Unmarshal(der, to)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: %d bytes after its end", ErrFormat, len(rest))
	}
	return nil
}

// EncodePEM writes a private key, 32 bytes of a curve of keystore's, as
// `ENCRYPTED PRIVATE KEY`: PKCS#8 with its public key, encrypted by PBES2 with
// PBKDF2 (HMAC-SHA-256, 300,000 iterations, a salt of 16 bytes) and AES-256 in
// CBC mode, which OpenSSL 1.1 and newer reads. The passphrase, any bytes, must
// not be empty. 32 bytes are taken from rand.
//
// The format does not protect the file against changes; the public key inside
// shows most of them. Errors: ErrPassphrase, ErrUnsupported, keystore.ErrSecret,
// and what rand returns.
func EncodePEM(curve string, key, passphrase []byte, rand io.Reader) ([]byte, error) {
	return encodePEM(curve, key, passphrase, rand, exportIterations)
}

func encodePEM(curve string, key, passphrase []byte, rand io.Reader, iterations int64) ([]byte, error) {
	point, err := checkExport(curve, key, passphrase)
	if err != nil {
		return nil, fmt.Errorf("writing a PEM file: %w", err)
	}
	info, err := marshalPKCS8(curve, key, point)
	if err != nil {
		return nil, fmt.Errorf("writing a PEM file: %w", err)
	}
	defer secret.Wipe(info)
	der, err := encrypt(info, passphrase, rand, iterations)
	if err != nil {
		return nil, fmt.Errorf("writing a PEM file: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: labelEncrypted, Bytes: der}), nil
}

func marshalPKCS8(curve string, key, point []byte) ([]byte, error) {
	inner, err := asn1.Marshal(ecPrivateKey{Version: 1, PrivateKey: key, PublicKey: asn1.BitString{Bytes: point, BitLength: 8 * len(point)}})
	if err != nil {
		return nil, err
	}
	defer secret.Wipe(inner)
	oid := oidSecp256k1
	if curve == keystore.Secp256r1 {
		oid = oidSecp256r1
	}
	named, err := asn1.Marshal(oid)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(privateKeyInfo{Algorithm: algorithm{oidECPublicKey, asn1.RawValue{FullBytes: named}}, PrivateKey: inner})
}
