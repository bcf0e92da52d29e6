import type { Gap } from '@pushstream/core'
import { usePushChannel } from '@pushstream/react'
import { useState } from 'react'

const none = { count: 0, total: 0 }

/** A sum of all messages: here each one counts, so it says when some are missing. */
export function Orders() {
  const { data, messages, gap } = usePushChannel('orders', {
    backtrack: 100,
    history: 5,
    initial: none,
    reduce: ({ count, total }, { amount }) => ({ count: count + 1, total: total + amount }),
  })
  const [seen, setSeen] = useState<Gap>()
  return (
    <section aria-labelledby="orders">
      <h2 id="orders">Orders</h2>
      <p className="number">
        {data.count} <small>for {data.total} €</small>
      </p>
      {gap && gap !== seen && (
        <p role="alert">
          Orders may be missing ({gap.reason}), so the sum may be too low.{' '}
          <button type="button" onClick={() => setSeen(gap)}>
            Understood
          </button>
        </p>
      )}
      <ol>
        {messages.toReversed().map((message) => (
          <li key={`${message.time?.getTime()}-${message.id}`}>
            {message.data.product} for {message.data.amount} €
          </li>
        ))}
      </ol>
      <OrderForm />
    </section>
  )
}

/** Stands for your shop. In production, only the back end may publish. */
function OrderForm() {
  const [failed, setFailed] = useState(false)
  async function order(form: FormData) {
    const body = JSON.stringify({ type: 'order', product: form.get('product'), amount: Number(form.get('amount')) })
    // The message template of the push stream module has the text in quotes, so it is percent-encoded.
    const request = { method: 'POST', body: encodeURIComponent(body) }
    const answer = await fetch('/pub?id=orders', request).catch(() => undefined)
    setFailed(!answer?.ok)
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void order(new FormData(event.currentTarget))
      }}
    >
      <label>
        Product <input name="product" defaultValue="Tea" required />
      </label>
      <label>
        Amount <input name="amount" type="number" min="1" defaultValue="12" required />
      </label>
      <button type="submit">Order</button>
      {failed && <span role="alert">The order was not published.</span>}
    </form>
  )
}
