/**
 * @file boat.h
 * The host's side of boatd's AT commands, for a microcontroller on the other
 * end of a UART: C99, no allocation, no stdio, no globals.
 *
 * The owner gives four callbacks and calls boat_poll() often. A command is
 * started by a function that returns at once; its result stands in the struct
 * when boat_idle() is true again. What is passed by pointer is not copied: it
 * must stay as it is until then.
 *
 *     static struct boat b;
 *     boat_init(&b, &port, BOAT_URC_TX);
 *     ...
 *     int code = boat_do(&b, boat_pin_enter(&b, "2580"));
 *
 * Nothing here may be called from an interrupt, nor from the event callback,
 * but for boat_ring_put().
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BOAT_H
#define BOAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The longest line that is understood, with its end. boatd's are at most 120. */
#ifndef BOAT_LINE_MAX
#define BOAT_LINE_MAX 128
#endif

/** The longest command line that boatd takes, without its CR. */
#define BOAT_COMMAND_MAX 2048u

/** @name Results
 * 0 is OK, positive numbers are codes of boatd (docs/at-manual.md, Codes),
 * negative ones are these. */
/**@{*/
/** The command did what it should. */
#define BOAT_OK 0
/** A command is running: start this one when boat_idle() is true. */
#define BOAT_E_BUSY (-1)
/** A parameter is out of its range, or missing. Nothing was sent. */
#define BOAT_E_PARAMETER (-2)
/** The line would be longer than boatd, or boat.arg_max, takes. Nothing was
 * sent; put long strings into a slot and name it "@<slot>". */
#define BOAT_E_LONG (-3)
/** An order without a reference could be carried out twice. Nothing was sent. */
#define BOAT_E_REFERENCE (-4)
/** No answer in time. The command may have been carried out: give it again.
 * An order with its reference is not carried out twice. */
#define BOAT_E_TIMEOUT (-5)
/** boatd was started anew while the command ran. As BOAT_E_TIMEOUT. */
#define BOAT_E_LOST (-6)
/** Refused, and boatd does not tell why. */
#define BOAT_E_REFUSED (-7)
/** OK, but without the answer that belongs to it. As BOAT_E_TIMEOUT. */
#define BOAT_E_ANSWER (-8)
/** The answer is longer than the buffer; its beginning is there. */
#define BOAT_E_ROOM (-9)
/** Bytes of a slot were damaged on their way. */
#define BOAT_E_DAMAGED (-10)
/** boatd has not answered at all for BOAT_OPEN_MS; the command was not sent. */
#define BOAT_E_CLOSED (-11)
/**@}*/

/** @name Codes of boatd that a host acts on */
/**@{*/
/** Busy. The library has given the command again for BOAT_PATIENCE_MS. */
#define BOAT_CODE_BUSY 14
/** Wrong PIN or PUK: a try is gone. */
#define BOAT_CODE_WRONG_PIN 16
/** The module has no network. */
#define BOAT_CODE_NO_BEARER 30
/** The network has not answered, or the time to wait is over: ask again. */
#define BOAT_CODE_TIMEOUT 31
/** The channel is locked: boat_pin(), boat_pin_enter(). */
#define BOAT_CODE_LOCKED 7001
/** PIN and PUK are used up: nothing but a factory reset helps. */
#define BOAT_CODE_BLOCKED 7002
/** boatd is starting. The library has given the command again as with busy. */
#define BOAT_CODE_STARTING 7005
/** There is something else of this name, or another order with this reference. */
#define BOAT_CODE_EXISTS 7013
/** No such transaction, reference or record. */
#define BOAT_CODE_NO_SUCH_TX 7020
/** No endpoint of the network answers: ask again, later. */
#define BOAT_CODE_UNREACHABLE 7040
/**@}*/

/** @name Times in ms
 * From the last byte of a command, or the last line of its answer, to the next
 * one: the classes of boatd's manual and what the line itself takes. */
/**@{*/
/** Class A, 1 s by the manual. */
#define BOAT_A_MS 3000u
/** Class B, 5 s. */
#define BOAT_B_MS 8000u
/** Class C, 30 s. */
#define BOAT_C_MS 33000u
/** How long a command that boatd is too busy for (14) or has no journal for
 * yet (7005) is given again. */
#define BOAT_PATIENCE_MS 30000u
/** How long a command waits for boatd to answer anything. */
#define BOAT_OPEN_MS 90000u
/**@}*/

/** Which unsolicited codes are wanted; combine with |. */
enum {
	BOAT_URC_TX = 1,
	BOAT_URC_EVENT = 2,
	BOAT_URC_LOW = 4,
	BOAT_URC_NET = 8,
	BOAT_URC_PIN = 16,
	BOAT_URC_READY = 32,
	BOAT_URC_ALARM = 64
};

/** What the event callback is called for. */
enum boat_event_kind {
	/** boatd answers. n[0] is how often it has started; n[1] is 1 when that
	 * is not what it was: the channel is locked and its slots are empty. */
	BOAT_EVENT_OPEN,
	/** An unsolicited code: seq, name, n, text. */
	BOAT_EVENT_URC,
	/** A line of the answer to boat_ask(); text is what follows its name. */
	BOAT_EVENT_LINE,
	/** A line that is not boatd's: a modem's, in text. */
	BOAT_EVENT_FOREIGN
};

/** An event. Its strings are gone when the callback returns. */
struct boat_event {
	enum boat_event_kind kind; /**< what it is */
	uint32_t seq;     /**< number of the unsolicited code */
	const char *name; /**< "tx", "event", "low", "net", "pin", "ready", "alarm" or one to come */
	uint32_t n[3];    /**< its integers in their order; of "tx": id, state, reason */
	const char *text; /**< its first string, or "" */
};

/** What the library needs of its owner. All are called from boat_poll(). */
struct boat_port {
	/** Returns the next byte received, or -1. */
	int (*read)(void *context);
	/** Takes up to n bytes to send and returns how many it took; 0: later. */
	size_t (*write)(void *context, const char *bytes, size_t n);
	/** Milliseconds since whenever; wraps at 2^32. */
	uint32_t (*now)(void *context);
	/** Called for events; NULL: there is nobody to tell. */
	void (*event)(void *context, const struct boat_event *event);
	void *context; /**< handed to all of them */
};

struct boat;

/** @cond INTERNAL */
struct boat_arg {
	const char *s;
	uint32_t n;
	uint8_t kind;
};

struct boat_command {
	uint8_t args, mores;
	uint8_t upload; /* how bytes go into a slot */
	bool bad;       /* a parameter is out of its range */
	bool unsafe;    /* an order that could be carried out twice */
	bool need;      /* OK without an answer is none */
	bool took;      /* the answer has come */
	bool cut;       /* it had no room */
	const char *name;             /* what follows AT, up to its arguments */
	void (*take)(struct boat *b); /* reads a line of its answer */
	uint32_t limit;               /* ms to its result */
	const char *const *more;      /* strings behind arg */
	void *out;
	size_t room;
	struct boat_arg arg[6];
};

struct boat_upload {
	const char *data;
	uint32_t size;
	uint32_t got, crc; /* as boatd answered */
	uint8_t mode;
	bool raw; /* the prompt has come: bytes are data now */
};
/** @endcond */

/** One channel to one boatd. What is not named here is the library's. */
struct boat {
	/** Result of the last command, when boat_idle(). */
	int code;
	/** How often boatd has started, 0 not known. */
	uint32_t starts;
	/** ms to wait for commands that ask the network: boatd's setting
	 * nettimeout and some. May be set after boat_init(). */
	uint32_t net_ms;
	/** The most bytes that may stand behind the = of a command; 0: no limit
	 * but the line's. Modems that forward commands may allow only 100. May
	 * be set after boat_init(). */
	uint16_t arg_max;
	/** Bytes of the answer of boat_sign() and boat_query(). */
	uint32_t length;

	/** @cond INTERNAL */
	/* What is used most stands in front: that makes smaller code. */
	uint8_t phase, resume, step, mask, strikes;
	uint8_t page; /* lines of the answer that have a place in it */
	bool odd; /* a field was not what it should be */
	bool overlong, pending, stale, have_seq;
	uint16_t filled;     /* bytes in line */
	uint32_t since;      /* last progress */
	uint32_t sent;       /* bytes of the line or of raw data */
	uint32_t total;      /* bytes there are */
	uint32_t seq;        /* newest code that was told */
	uint32_t newest;     /* newest code that is known of */
	uint32_t begun;      /* when the owner's command was started */
	uint32_t opened;     /* when the opening was begun */
	uint32_t heard;      /* starts as the opening heard it */
	uint32_t announced;  /* length that the answer is to have */
	const char *fields;  /* of the line, behind those that were read */
	struct boat_command *current;
	struct boat_upload up;
	struct boat_port port;
	char line[BOAT_LINE_MAX];
	struct boat_command own, user, refused;
	/** @endcond */
};

/** Begins. Nothing is sent before the first boat_poll(). urc_mask says which
 * unsolicited codes are wanted, 0 for none. */
void boat_init(struct boat *b, const struct boat_port *port, unsigned urc_mask);

/** Does what is due and returns soon: reads what has come up to the end of a
 * command, writes what there is room for. Call it at least every 10 ms while a
 * command runs. Returns boat_idle(). */
bool boat_poll(struct boat *b);

/** Says whether a command can be started: none is running. Before boatd
 * answers for the first time one can be started, too; it waits. */
bool boat_idle(const struct boat *b);

/** Says whether boatd answers and nothing suggests that it was started anew. */
bool boat_is_open(const struct boat *b);

/** Polls until the command that was started has ended and returns its result:
 * boat_do(b, boat_send(b, ...)). started is what starting it returned. */
int boat_do(struct boat *b, int started);

/** Forgets the channel's state and begins anew, as after a reset of the other
 * side. A command that is running ends with BOAT_E_LOST. */
void boat_reopen(struct boat *b);

/** @name Access */
/**@{*/

/** What boatd asks for. */
enum boat_pin_state {
	BOAT_PIN_READY,  /**< nothing: this channel is unlocked */
	BOAT_PIN_NEEDED, /**< the PIN */
	BOAT_PIN_PUK,    /**< the PUK */
	BOAT_PIN_BLOCKED,
	BOAT_PIN_NONE,   /**< no PIN was set */
	BOAT_PIN_OTHER   /**< something to come */
};

/** Answer of boat_pin(). */
struct boat_pin {
	enum boat_pin_state state; /**< what is asked for */
	uint32_t tries; /**< that are left of what is asked for */
};

/** Asks what is needed to unlock the channel. */
int boat_pin(struct boat *b, struct boat_pin *out);
/** Unlocks the channel. A wrong PIN (16) costs one of ten tries, so do not give
 * a PIN again that was wrong. */
int boat_pin_enter(struct boat *b, const char *pin);
/** Sets or changes the PIN. At the first time old is "" and puk is chosen; NULL
 * for a PUK that is there already. */
int boat_pin_set(struct boat *b, const char *old, const char *pin, const char *puk);
/** Sets a new PIN with the PUK, after ten wrong ones. */
int boat_pin_unblock(struct boat *b, const char *puk, const char *pin);
/**@}*/

/** @name Wallets
 * Addresses and numbers are text with a NUL; 48 bytes hold an address of
 * Ethereum, 80 any amount. */
/**@{*/

/** Answer of boat_balance(). */
struct boat_balance {
	uint32_t decimals; /**< of the coin or token; 0 where a token does not tell */
	char units[80];  /**< decimal, smallest units */
	char symbol[20]; /**< in small letters, "" where a token does not tell */
};

/** Makes a key, unless it is there, for what the letters say: "t" transactions,
 * "m" messages (boat_sign()), "d" bare digests, "i" identity. */
int boat_key(struct boat *b, const char *key, const char *usage);
/** Makes a wallet, unless it is there, with a key of the same name if key is NULL. */
int boat_wallet(struct boat *b, const char *wallet, const char *net, const char *key, char *address, size_t room);
/** Tells a wallet's address. */
int boat_address(struct boat *b, const char *wallet, char *address, size_t room);
/** Asks the network what a wallet holds, of a token or, with NULL, of coin. */
int boat_balance(struct boat *b, const char *wallet, const char *asset, struct boat_balance *out);
/**@}*/

/** @name Orders
 * An order has a reference, 1 to 16 of A-Z a-z 0-9 . _ -, which the host makes
 * up and keeps where it survives a reset, before it gives the order for the
 * first time. The same order with the same reference again is answered with
 * the same id and is not carried out twice: so repeat it after every doubt. */
/**@{*/

/** What every order has. */
struct boat_order {
	const char *wallet;    /**< who pays */
	const char *reference; /**< the host's own name for it */
	const char *options;   /**< as "gas=21000;tip=1gwei", or NULL */
	/** true: no reference, and each call may be one more transaction. */
	bool may_repeat;
};

/** Sends coin or, with an asset, a token. Amounts are text: "1500" smallest
 * units, "0.1ether", "2.5whole" of a token. */
int boat_send(struct boat *b, const struct boat_order *order, const char *to, const char *amount,
              const char *asset, uint32_t *id);
/** Writes to a contract. Arguments are text; those of a signature such as
 * "set(uint256)". */
int boat_call(struct boat *b, const struct boat_order *order, const char *contract, const char *function,
              const char *const *args, size_t n, uint32_t *id);
/** Reads from a contract; with the returns in the signature, as in
 * "get()(uint256)", the value comes as text, else as bytes. A NUL follows
 * either where there is room. The number of bytes is boat.length. */
int boat_query(struct boat *b, const char *wallet_or_net, const char *contract, const char *function,
               const char *const *args, size_t n, char *out, size_t room);

/** States of a transaction; from 4 on it has ended. */
enum {
	BOAT_TX_ACCEPTED,
	BOAT_TX_SIGNED,
	BOAT_TX_SENT,
	BOAT_TX_INCLUDED,
	BOAT_TX_CONFIRMED,
	BOAT_TX_REVERTED,
	BOAT_TX_DISPLACED,
	BOAT_TX_CANCELLED,
	BOAT_TX_EXPIRED,
	BOAT_TX_REFUSED
};

/** Answer of boat_tx() and boat_tx_wait(). */
struct boat_tx {
	uint32_t id;            /**< as its order was answered */
	uint32_t state;         /**< BOAT_TX_ACCEPTED and so on */
	uint32_t reason;        /**< 0, or a code: why it waits or how it ended */
	uint32_t confirmations; /**< blocks, up to 65535 */
	uint32_t block;         /**< that it is in, 0 before */
	char hash[65];          /**< hex, "" before it is signed */
};

/** Tells how far a transaction is. */
int boat_tx(struct boat *b, uint32_t id, struct boat_tx *out);
/** Waits up to 1 to 180 s until a transaction has come to a state from 1 to 4
 * or has ended; code 31 when it has not. */
int boat_tx_wait(struct boat *b, uint32_t id, uint32_t state, uint32_t seconds, struct boat_tx *out);
/** Tells the id of an order, or 7020. */
int boat_tx_find(struct boat *b, const char *wallet, const char *reference, uint32_t *id);
/**@}*/

/** @name Signing */
/**@{*/

/** Schemes of boat_sign(). */
enum { BOAT_SIGN_MESSAGE, BOAT_SIGN_TYPED, BOAT_SIGN_COSE, BOAT_SIGN_DIGEST };

/** Signs what is no transaction. The source is "t:<text>", "x:<hex>" or
 * "@<slot>". The signature comes as boat.length bytes: 65 hold r, s and v. */
int boat_sign(struct boat *b, const char *key, unsigned scheme, const char *source, char *out, size_t room);
/**@}*/

/** @name Slots
 * Eight for each channel, 0 to 7, of 64 KiB. Where the name of a slot, "@3",
 * stands in place of a string, its bytes are meant. */
/**@{*/

/** Puts bytes into a slot as hex, in as many lines as it takes. Works on every
 * channel. */
int boat_slot_put(struct boat *b, unsigned slot, const void *data, size_t size);
/** Puts bytes into a slot as they are: half the time, but code 4 on channels
 * that carry no raw bytes. When boatd gives up halfway (7060), no more of them
 * is sent and the line that they have begun is spoilt; but what the port has
 * taken cannot be called back, and boatd reads it as command lines. So where the
 * bytes are somebody else's, use boat_slot_put(). */
int boat_slot_raw(struct boat *b, unsigned slot, const void *data, size_t size);
/**@}*/

/** @name Unsolicited codes
 * They are told in order and without gaps as long as boatd keeps them: what was
 * missed while boatd or the host was away is fetched. */
/**@{*/

/** Says which code was the last one that the host has dealt with, before the
 * first boat_poll() or later; without, only what comes from now on is told. */
void boat_events_after(struct boat *b, uint32_t seq);
/** Lets boatd forget codes up to and with this one. */
int boat_events_forget(struct boat *b, uint32_t seq);
/**@}*/

/** Gives any other command, one, written as it stands behind AT: boat_ask(b,
 * "+BOATINFO=\"version\"", BOAT_A_MS). Its lines come as BOAT_EVENT_LINE. */
int boat_ask(struct boat *b, const char *command, uint32_t limit_ms);

/** @name Reading fields of a line */
/**@{*/

/** Reads an unsigned number and the comma behind it. false, and nothing is
 * taken, where there is none or it does not fit. */
bool boat_field_number(const char **fields, uint32_t *out);
/** Reads a string and the comma behind it; s points at its n bytes. */
bool boat_field_string(const char **fields, const char **s, size_t *n);
/**@}*/

/** A ring of bytes from an interrupt to boat_port.read. One side puts, the other
 * takes; neither waits, and interrupts stay on. */
struct boat_ring {
	uint8_t *bytes;         /**< the owner's */
	uint16_t mask;          /**< size - 1; the size is a power of two */
	volatile uint16_t head; /**< written by boat_ring_put() only */
	volatile uint16_t tail; /**< written by boat_ring_get() only */
};

/** Makes a ring over size bytes, a power of two from 2 to 32768; it holds one
 * less. */
void boat_ring_init(struct boat_ring *r, uint8_t *bytes, uint16_t size);
/** Puts a byte; false when the ring is full and the byte is lost. */
bool boat_ring_put(struct boat_ring *r, uint8_t byte);
/** Takes a byte, or -1. */
int boat_ring_get(struct boat_ring *r);

#ifdef __cplusplus
}
#endif

#endif
