package main

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// What the host uses.
const (
	pin       = "2580"
	puk       = "13572468"
	recipient = "0x000000000000000000000000000000000000b0a7"
)

// An order is what the host asked for and was told about it.
type order struct {
	ref    string
	amount string   // as it was typed
	ids    []string // the answers, one for each time it was given
	state  string   // the last one, as AT+BOATTXGET shows it
}

// play is the host's side. It returns the wallet's address and the orders.
func (d *demo) play(ctx context.Context) (address string, told []order, err error) {
	if address, err = d.prepare(ctx); err != nil {
		return address, nil, err
	}
	first, err := d.firstOrder()
	if err != nil {
		return address, nil, err
	}
	second, err := d.secondOrder(ctx)
	if err != nil {
		return address, nil, err
	}
	told = []order{first, second}
	for i := range told {
		fields, err := d.host.one("AT+BOATTXGET="+told[i].ids[0], "+BOATTXGET")
		if err != nil {
			return address, told, err
		}
		told[i].state = strings.Split(fields, ",")[1]
	}
	return address, told, nil
}

// prepare sets the PIN, makes a wallet and has it funded.
func (d *demo) prepare(ctx context.Context) (address string, err error) {
	if err := d.all("ATE0+CMEE=2", "AT+BOATREADY?", `AT+BOATPWD="","`+pin+`","`+puk+`"`); err != nil {
		return "", err
	}
	fields, err := d.host.one(`AT+BOATWALADD="w0","dev"`, "+BOATWALADD")
	if err != nil {
		return "", err
	}
	address = strings.Split(fields, `"`)[3]
	if err := d.node.Fund(ctx, address, big.NewInt(1e18)); err != nil {
		return "", err
	}
	d.note("the chain gives 1 ether to %s", address)
	return address, d.all(`AT+BOATBAL="w0"`, `AT+BOATCFG="urc",1`)
}

// all types lines of which nothing is needed but OK.
func (d *demo) all(lines ...string) error {
	for _, line := range lines {
		if _, err := d.host.do(line); err != nil {
			return err
		}
	}
	return nil
}

// give gives an order, again if it was given before.
func (d *demo) give(o *order) error {
	line := fmt.Sprintf(`AT+BOATSEND="w0","%s","%s","%s"`, o.ref, recipient, o.amount)
	id, err := d.host.one(line, "+BOATSEND")
	if err != nil {
		return err
	}
	o.ids = append(o.ids, id)
	return nil
}

// firstOrder is sent and confirmed, and then asked for again.
func (d *demo) firstOrder() (order, error) {
	o := order{ref: "order-1", amount: "0.25ether"}
	if err := d.give(&o); err != nil {
		return o, err
	}
	id, err := strconv.Atoi(o.ids[0])
	if err != nil {
		return o, err
	}
	for state := 1; state <= 4; state++ {
		if err := d.host.await(id, state); err != nil {
			return o, err
		}
	}
	d.note("the host lost the answer and gives the same order again: the same id")
	return o, d.give(&o)
}

// secondOrder is accepted; then boatd dies at once. The host does not know what
// came of it and asks again.
func (d *demo) secondOrder(ctx context.Context) (order, error) {
	o := order{ref: "order-2", amount: "0.05ether"}
	if err := d.give(&o); err != nil {
		return o, err
	}
	if err := d.killBoatd(ctx); err != nil {
		return o, err
	}
	if err := d.all("ATE0+CMEE=2", `AT+BOATPIN="`+pin+`"`); err != nil {
		return o, err
	}
	if err := d.give(&o); err != nil {
		return o, err
	}
	_, err := d.host.one("AT+BOATTXWAI="+o.ids[0]+",4,40", "+BOATTXWAI")
	return o, err
}
