// What comes from others is set by textContent only: it is text, whatever it says.

const $ = id => document.getElementById(id)
const nameRefused = 4000 // the server asks for another name
const mostEntries = 500

let socket, name, pause

$('enter').addEventListener('submit', event => {
  event.preventDefault()
  name = $('name').value.trim()
  pause = 500
  $('refusal').textContent = ''
  connect()
})

$('say').addEventListener('submit', event => {
  event.preventDefault()
  if (socket.readyState !== WebSocket.OPEN) return
  socket.send($('text').value)
  $('text').value = ''
})

// The browser may keep a page that was left, for who goes back, and its connection
// with it. If he does, the page finds it lost.
addEventListener('pagehide', () => socket?.close())

function connect() {
  const url = new URL('ws', location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  url.searchParams.set('name', name)
  socket = new WebSocket(url)
  socket.addEventListener('message', event => take(JSON.parse(event.data)))
  socket.addEventListener('close', lost)
}

function lost(event) {
  $('say').querySelector('button').disabled = true
  if (event.code === nameRefused || $('room').hidden) {
    show('enter')
    $('refusal').textContent = event.reason || 'The server does not answer.'
    $('name').focus()
    return
  }
  $('state').textContent = `Connection lost${event.reason && ': ' + event.reason}. Trying again.`
  setTimeout(connect, pause)
  pause = Math.min(2 * pause, 10_000)
}

const handlers = {
  hello(m) {
    name = m.name
    pause = 500
    $('log').replaceChildren()
    $('here').replaceChildren(...m.here.map(item))
    for (const old of m.history ?? []) said(old)
    $('state').textContent = `You are ${m.name}.`
    $('say').querySelector('button').disabled = false
    show('room')
    $('log').scrollTop = $('log').scrollHeight
    $('text').focus()
  },
  joined(m) {
    $('here').append(item(m.name))
    note(`${m.name} is here.`)
  },
  left(m) {
    for (const li of $('here').children) if (li.textContent === m.name) { li.remove(); break }
    note(`${m.name} has left${m.text ? `: ${m.text}` : ''}.`)
  },
  said,
}

function take(m) { handlers[m.kind]?.(m) }

function said(m) {
  const b = document.createElement('b'), time = document.createElement('time'), p = document.createElement('p')
  b.textContent = m.name
  time.dateTime = m.time
  time.textContent = new Date(m.time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  p.textContent = m.text
  append(m.name === name ? 'said mine' : 'said', b, time, p)
}

function note(text) { append('note', text) }

function append(kind, ...content) {
  const log = $('log'), atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40
  const li = document.createElement('li')
  li.className = kind
  li.append(...content)
  log.append(li)
  if (log.children.length > mostEntries) log.firstElementChild.remove()
  if (atEnd) log.scrollTop = log.scrollHeight
}

function item(text) {
  const li = document.createElement('li')
  li.textContent = text
  return li
}

function show(id) {
  $('enter').hidden = id !== 'enter'
  $('room').hidden = id !== 'room'
}
