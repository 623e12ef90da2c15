package wallet

// Subscribe has hosts told of an event of a contract, from the block on that
// follows the newest one at the first look at the network, which is at once where
// there is a bearer. It returns the subscription's number, which is durable; no
// event of it can be read until release is called.
func (m *Manager) Subscribe(net, contract, event string, values []*string) (n uint32, release func(), err error) {
	n, release, err = m.Subs.Add(net, contract, event, values)
	if err == nil {
		m.Life.Kick(net)
	}
	return n, release, err
}

// Acknowledge forgets unsolicited codes up to a number, and goes on with the
// subscriptions that waited for room.
func (m *Manager) Acknowledge(seq uint32) error {
	waiting, err := m.Subs.Acknowledge(seq)
	for _, net := range waiting {
		m.Life.Kick(net)
	}
	return err
}
