package keyfile

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/boatd/boatd/keystore"
)

// web3File is a file as programs write it, with the parts that differ.
func web3File(iv, ciphertext, kdf, params, mac, more string) string {
	return fmt.Sprintf(`{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":%q},"ciphertext":%q,"kdf":%q,"kdfparams":{%s},"mac":%q},`+
		`"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6"%s,"version":3}`, iv, ciphertext, kdf, params, mac, more)
}

// The examples of the format's definition (Web3 Secret Storage Definition,
// "Test vectors") with the derived keys that it tells, and keys without leading
// zeros from go-ethereum's vectors.
var web3Vectors = []struct{ name, file, password, derived, key string }{
	{
		"scrypt", web3File("83dbcc02d8ccb40e466191a123791e0e", "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c", "scrypt",
			`"dklen":32,"n":262144,"r":1,"p":8,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"`,
			"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097", ""),
		"testpassword", "fac192ceb5fd772906bea3e118a69e8bbb5cc24229e20d8766fd298291bba6bd",
		"7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d",
	},
	{
		"pbkdf2", web3File("6087dab2f9fdbbfaddc31a909735c1e6", "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46", "pbkdf2",
			`"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"`,
			"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2", `,"address":"0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b"`),
		"testpassword", "f06d69cdc7da0faffb1008270bca38f5e31891a3a773950e6d0fea48a7188551",
		"7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d",
	},
	{
		"31 bytes", web3File("e0c41130a323adc1446fc82f724bca2f", "9517cd5bdbe69076f9bf5057248c6c050141e970efa36ce53692d5d59a3984", "scrypt",
			`"dklen":32,"n":2,"r":8,"p":1,"salt":"711f816911c92d649fb4c84b047915679933555030b3552c1212609b38208c63"`,
			"d5e116151c6aa71470e67a7d42c9620c75c4d23229847dcc127794f0732b0db5", ""),
		"foo", "", "00fa7b3db73dc7dfdf8c5fbdb796d741e4488628c41fc4febd9160a866ba0f35",
	},
	{
		"30 bytes", web3File("3ca92af36ad7c2cd92454c59cea5ef00", "108b7d34f3442fc26ab1ab90ca91476ba6bfa8c00975a49ef9051dc675aa", "scrypt",
			`"dklen":32,"n":2,"r":8,"p":1,"salt":"d0769e608fb86cda848065642a9c6fa046845c928175662b8e356c77f914cd3b"`,
			"75d0e6759f7b3cefa319c3be41680ab6beea7d8328653474bd06706d4cc67420", ""),
		"foo", "", "000081c29e8142bb6a81bef5a92bda7a8328a5c85bb2f9542e76f9b0f94fc018",
	},
}

func TestWeb3Vectors(t *testing.T) {
	for _, c := range web3Vectors {
		key, err := ParseWeb3([]byte(c.file), []byte(c.password))
		if err != nil || hex.EncodeToString(key) != c.key {
			t.Errorf("%s: %x, %v", c.name, key, err)
		}
	}
}

// TestWeb3Derived: from the derived key on.
func TestWeb3Derived(t *testing.T) {
	for _, c := range web3Vectors[:2] {
		v, err := parseVault([]byte(c.file))
		if err != nil {
			t.Fatal(err)
		}
		if key, err := v.unlock(unhex(t, c.derived)); err != nil || hex.EncodeToString(key) != c.key {
			t.Errorf("%s: %x, %v", c.name, key, err)
		}
	}
}

// cheap is a good file of the key keyK1 under the passphrase "boat".
func cheap(t testing.TB) string {
	t.Helper()
	file, err := encodeWeb3(unhex(t, keyK1), []byte("boat"), new(counter), scryptParams{2, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	return string(file)
}

// TestWeb3Changed changes one thing at a time of a good file.
func TestWeb3Changed(t *testing.T) {
	good := cheap(t)
	const address = `"address":"`
	for _, c := range []struct {
		from, to string
		want     error
	}{
		{"", "", nil},
		{`"crypto"`, `"Crypto"`, nil},
		{`"kdf"`, `"KDF"`, nil},
		{`"version":3`, `"version":3,"x-ethers":{"a":[1,{"b":null}],"c":true,"n":1e999}`, nil},
		{address, `"address":"0x`, nil},
		{address, `"addr":"`, nil},
		{`"version":3`, `"version":3} `, ErrFormat},
		{`"version":3}`, `"version":3`, ErrFormat},
		{`"version":3}`, `"version":3}{}`, ErrFormat},
		{`"version":3}`, `"version":3,"version":3}`, ErrFormat},
		{`"version":3}`, `"version":3,"Version":3}`, ErrFormat},
		{`"version":3}`, `"version":3,"CRYPTO":{}}`, ErrFormat},
		{`"version":3}`, `"version":3,"\u0063rypto":{}}`, ErrFormat},
		{`"version":3}`, `"version":3,"x":{"a":1,"A":1}}`, ErrFormat},
		{`"version":3}`, `"version":3,"x":` + strings.Repeat("[", 9) + strings.Repeat("]", 9) + `}`, ErrFormat},
		{`"version":3`, `"version":3.0`, ErrUnsupported},
		{`"version":3`, `"version":"3"`, ErrUnsupported},
		{`"version":3`, `"version":1`, ErrUnsupported},
		{`"version":3`, `"version":null`, ErrFormat},
		{`"crypto"`, `"cryptO\u212a"`, ErrFormat},
		{`"crypto":{`, `"crypto":[],"x":{`, ErrFormat},
		{`"cipherparams":{`, `"cipherparams":"","x":{`, ErrFormat},
		{`aes-128-ctr`, `aes-128-cbc`, ErrUnsupported},
		{`"cipher":"aes-128-ctr",`, ``, ErrFormat},
		{`"kdf":"scrypt"`, `"kdf":"argon2id"`, ErrUnsupported},
		{`"kdf":"scrypt"`, `"kdf":7`, ErrFormat},
		{`"kdf":"scrypt"`, `"kdf":"pbkdf2"`, ErrFormat},
		{`"dklen":32`, `"dklen":64`, ErrUnsupported},
		{`"n":2`, `"n":0`, ErrFormat},
		{`"n":2`, `"n":1`, ErrFormat},
		{`"n":2`, `"n":3`, ErrFormat},
		{`"n":2`, `"n":-2`, ErrFormat},
		{`"n":2`, `"n":2.0`, ErrFormat},
		{`"n":2`, `"n":2e0`, ErrFormat},
		{`"n":2`, `"n":"2"`, ErrFormat},
		{`"n":2`, `"n":18446744073709551616`, ErrFormat},
		{`"n":2`, `"n":1` + strings.Repeat("0", 5000), ErrFormat},
		{`"n":2`, `"n":9223372036854775808`, ErrCost},
		{`"n":2`, `"n":4294967296`, ErrCost},
		{`"n":2,"r":1,"p":1`, `"n":262144,"r":8,"p":1`, ErrCost},
		{`"r":1`, `"r":0`, ErrFormat},
		{`"r":1`, `"r":18446744073709551615`, ErrCost},
		{`"p":1`, `"p":0`, ErrFormat},
		{`"p":1`, `"p":18446744073709551615`, ErrCost},
		{`"p":1`, `"p":500000`, ErrCost},
		{`"salt":"`, `"salt":"0`, ErrFormat},
		{`"salt":"`, `"salt":"` + strings.Repeat("0", 2*maxSalt), ErrFormat},
		{`"salt":"`, `"salt":"zz`, ErrFormat},
		{`"salt":"00`, `"salt":"01`, ErrPassphrase},
		{`"iv":"`, `"iv":"00`, ErrFormat},
		{`"mac":"`, `"mac":"00`, ErrFormat},
		{`"ciphertext":"`, `"ciphertext":"00`, ErrFormat},
		{`"ciphertext":"`, `"ciphertext":"","x":"`, ErrFormat},
		{address, `"address":"00`, ErrFormat},
		{address, `"address":"0X0x`, ErrFormat},
		{address, `"address":17,"x":"`, ErrFormat},
		{address, `"address":"008aeeda4d805471df9b2a5b0f38a0c3bcba786b","x":"`, ErrMismatch},
	} {
		file := strings.Replace(good, c.from, c.to, 1)
		if c.from != "" && file == good {
			t.Fatalf("%s is not in the file", c.from)
		}
		key, err := ParseWeb3([]byte(file), []byte("boat"))
		if !errors.Is(err, c.want) || (err == nil) != (hex.EncodeToString(key) == keyK1) {
			t.Errorf("%.60s for %.60s: %x, %v, want %v", c.to, c.from, key, err, c.want)
		}
	}
}

// TestWeb3EveryByte: a file of which a byte was lost or changed gives the same
// key, or none.
func TestWeb3EveryByte(t *testing.T) {
	good := cheap(t)
	want := unhex(t, keyK1)
	for i := range len(good) {
		for _, file := range []string{good[:i], good[:i] + good[i+1:], good[:i] + "1" + good[i+1:]} {
			if key, err := parseWeb3([]byte(file), []byte("boat"), Cost{1 << 20, 50e6}); err == nil && !bytes.Equal(key, want) {
				t.Fatalf("%s: %x", file, key)
			}
		}
	}
}

func TestWeb3Refused(t *testing.T) {
	for _, file := range []string{"", "{}", "[]", "3", "null", `"x"`, strings.Repeat("[", MaxFile), cheap(t) + strings.Repeat(" ", MaxFile), "\xef\xbb\xbf" + cheap(t)} {
		if key, err := ParseWeb3([]byte(file), []byte("boat")); !errors.Is(err, ErrFormat) {
			t.Errorf("%.80s: %x, %v", file, key, err)
		}
	}
	if key, err := ParseWeb3([]byte(cheap(t)), []byte("Boat")); !errors.Is(err, ErrPassphrase) {
		t.Errorf("wrong passphrase: %x, %v", key, err)
	}
}

// TestWeb3BadKey: the MAC says that the writer meant it; a key out of range is
// none all the same.
func TestWeb3BadKey(t *testing.T) {
	v, err := parseVault([]byte(cheap(t)))
	if err != nil {
		t.Fatal(err)
	}
	derived := make([]byte, derivedSize)
	if v.ciphertext, err = crypt(derived, v.iv, make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	v.mac = keccak256(derived[16:], v.ciphertext)
	if key, err := v.unlock(derived); !errors.Is(err, keystore.ErrSecret) {
		t.Errorf("%x, %v", key, err)
	}
}

func TestCost(t *testing.T) {
	for name, c := range map[string]struct {
		cost         Cost
		memory       uint64 // MiB
		instructions uint64 // millions, within a tenth
		fits         bool
	}{
		"the definition's scrypt": {scryptCost(262144, 1, 8), 32, 7740, true},
		"the definition's PBKDF2": {pbkdf2Cost(262144), 0, 3080, true},
		"geth":                    {scryptCost(262144, 8, 1), 256, 7225, false},
		"geth --lightkdf":         {scryptCost(4096, 8, 6), 4, 680, true},
		"ethers":                  {scryptCost(131072, 8, 1), 128, 3612, false},
		"ours":                    {exportScrypt.cost(), 16, 2260, true},
		"our PEM":                 {pbkdf2Cost(exportIterations), 0, 3530, true},
		"too long":                {pbkdf2Cost(1_000_000), 0, 11750, false},
	} {
		if got := c.cost.Memory >> 20; got != c.memory {
			t.Errorf("%s: %d MiB, want %d", name, got, c.memory)
		}
		if got := c.cost.Instructions / 1e6; got < c.instructions*9/10 || got > c.instructions*11/10 {
			t.Errorf("%s: %d million instructions, want %d", name, got, c.instructions)
		}
		if err := c.cost.within(limit); (err == nil) != c.fits {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCostError(t *testing.T) {
	file := strings.Replace(cheap(t), `"n":2,"r":1,"p":1`, `"n":262144,"r":8,"p":1`, 1)
	_, err := ParseWeb3([]byte(file), nil)
	var costly *CostError
	if !errors.As(err, &costly) || costly.Cost != scryptCost(262144, 8, 1) {
		t.Fatalf("%v", err)
	}
	const want = "262147 KiB of memory (at most 65536), 7392 million instructions (at most 8000)"
	if !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestCostSaturates: whatever the factors, no product is smaller than one of
// them, and more of anything never costs less.
func TestCostSaturates(t *testing.T) {
	numbers := []uint64{1, 2, 3, 1 << 16, 1 << 31, 1 << 32, 1 << 58, 1 << 63, 1<<64 - 1}
	for _, n := range numbers {
		for _, r := range numbers {
			for _, p := range numbers {
				c := scryptCost(n, r, p)
				if big := max(n, r, p); c.Instructions < big || c.Memory < max(n, r, p) {
					t.Fatalf("%d %d %d: %+v", n, r, p, c)
				}
			}
		}
	}
}

func TestWeb3RoundTrip(t *testing.T) {
	want := unhex(t, keyK1)
	for _, pass := range []string{"x", "\x00\xff", strings.Repeat("long ", 100)} {
		file, err := encodeWeb3(want, []byte(pass), new(counter), scryptParams{4, 2, 3})
		if err != nil {
			t.Fatal(err)
		}
		if key, err := ParseWeb3(file, []byte(pass)); err != nil || !bytes.Equal(key, want) {
			t.Errorf("%q: %x, %v", pass, key, err)
		}
		if key, err := ParseWeb3(file, []byte(pass+"x")); !errors.Is(err, ErrPassphrase) {
			t.Errorf("%q with a letter more: %x, %v", pass, key, err)
		}
	}
}

func TestEncodeWeb3(t *testing.T) {
	key := unhex(t, "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d")
	file, err := EncodeWeb3(key, []byte("boat"), new(counter))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`{"address":"008aeeda4d805471df9b2a5b0f38a0c3bcba786b",`, `"n":16384,"r":8,"p":5,`,
		`"salt":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"`,
		`"iv":"202122232425262728292a2b2c2d2e2f"`, `"id":"30313233-3435-4637-b839-3a3b3c3d3e3f","version":3}`,
	} {
		if !bytes.Contains(file, []byte(part)) {
			t.Errorf("%s\nis without %s", file, part)
		}
	}
	if got, err := ParseWeb3(file, []byte("boat")); err != nil || !bytes.Equal(got, key) {
		t.Errorf("%x, %v", got, err)
	}
}

func TestWeb3ExportRefused(t *testing.T) {
	key := unhex(t, keyK1)
	for name, c := range map[string]struct {
		key, pass []byte
		rand      io.Reader
		want      error
	}{
		"no passphrase": {key, nil, new(counter), ErrPassphrase},
		"short key":     {key[1:], key, new(counter), keystore.ErrSecret},
		"zero":          {make([]byte, 32), key, new(counter), keystore.ErrSecret},
		"no randomness": {key, key, bytes.NewReader(make([]byte, 63)), io.ErrUnexpectedEOF},
	} {
		if file, err := EncodeWeb3(c.key, c.pass, c.rand); !errors.Is(err, c.want) {
			t.Errorf("%s: %s, %v, want %v", name, file, err, c.want)
		}
	}
}

func FuzzWeb3(f *testing.F) {
	for _, c := range web3Vectors {
		f.Add([]byte(c.file))
	}
	f.Add([]byte(cheap(f)))
	f.Add([]byte(`{"Crypto":{"kdfparams":{"n":1e9,"N":[[]]}},"\u212adf":null}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		most := Cost{64 << 10, 3e6}
		key, err := parseWeb3(file, []byte("boat"), most)
		if err != nil {
			if key != nil {
				t.Fatalf("%x beside %v", key, err)
			}
			return
		}
		again, err := encodeWeb3(key, []byte("x"), new(counter), scryptParams{2, 1, 1})
		if err != nil {
			t.Fatalf("a key that cannot be written: %v", err)
		}
		if k, err := parseWeb3(again, []byte("x"), most); err != nil || !bytes.Equal(k, key) {
			t.Fatalf("%x became %x, %v", key, k, err)
		}
	})
}

// The costs in instructions are counted otherwise; this shows the proportions.
func BenchmarkDerivation(b *testing.B) {
	for name, d := range map[string]derivation{"scrypt 4096 8 1": scryptParams{4096, 8, 1}, "scrypt 32768 1 1": scryptParams{32768, 1, 1}, "pbkdf2 20000": pbkdf2Count(20000)} {
		b.Run(name, func(b *testing.B) {
			b.ReportMetric(float64(d.cost().Instructions), "estimate")
			for b.Loop() {
				if _, err := d.key([]byte("x"), make([]byte, 32)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
